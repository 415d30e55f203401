/** The results of a batch: what an endpoint says of each of its records. */
import type { AnswerText } from './read-answer.ts';

export interface RecordResult {
  readonly status: number;
  readonly reason: string;
}

/** `null`: the answer is no array of results with one for each record. */
export function resultsIn({ text, isWhole }: AnswerText, count: number): readonly RecordResult[] | null {
  const items = isWhole ? parsed(text) : null;
  if (!Array.isArray(items) || items.length !== count) return null;
  const results = items.map(resultOf);
  return results.every((result) => result !== null) ? results : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function resultOf(item: unknown): RecordResult | null {
  if (isStatus(item)) return { status: item, reason: '' };
  if (typeof item !== 'object' || item === null || !('status' in item) || !isStatus(item.status)) return null;
  return { status: item.status, reason: 'error' in item && typeof item.error === 'string' ? item.error : '' };
}

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
}
