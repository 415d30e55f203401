/** Whether the records of a queue are in the parts of its shard: each of them once, in their order. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageQueue } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import type { LogBroker } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';

const READ_LIMITS = { records: 1_000, bytes: 4 * 1024 * 1024, waitMs: 0 };

export interface Difference {
  readonly lost: number;
  readonly duplicated: number;
  /** Index of the first line that is another one; -1 where there is none. */
  readonly firstAt: number;
}

/** All that a queue holds. */
export async function* recordsOf(broker: LogBroker, queue: MessageQueue): AsyncGenerator<LogRecord> {
  for (let at = offset(0); ; ) {
    const { records, next, bounds } = await broker.read(queue, at, READ_LIMITS);
    yield* records;
    if (next >= bounds.max) return;
    at = next;
  }
}

/** Of a line, so that those of half an hour fit into memory. */
export function digest(line: Uint8Array): string {
  return createHash('md5').update(line).digest('base64');
}

/** Lines of a shard's parts, in order. */
export function* linesIn(folder: string): Generator<Uint8Array> {
  for (const part of globSync('*.jsonl', { cwd: folder }).sort()) yield* linesOf(readFileSync(join(folder, part)));
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    yield bytes.subarray(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length : end + 1;
  }
}

/** Of two lists of lines, or of their digests; with `firstAt` and nothing lost or doubled they are in another order. */
export function compareLines<Line>(sent: readonly Line[], found: readonly Line[]): Difference {
  const firstAt = sent.length === found.length ? sent.findIndex((line, index) => line !== found[index]) : 0;
  if (firstAt === -1) return { lost: 0, duplicated: 0, firstAt };
  const surplus = new Map<Line, number>();
  for (const line of found) surplus.set(line, (surplus.get(line) ?? 0) + 1);
  for (const line of sent) surplus.set(line, (surplus.get(line) ?? 0) - 1);
  const counts = [...surplus.values()];
  return {
    lost: -counts.reduce((sum, count) => sum + Math.min(count, 0), 0),
    duplicated: counts.reduce((sum, count) => sum + Math.max(count, 0), 0),
    firstAt: sent.findIndex((line, index) => line !== found[index]),
  };
}
