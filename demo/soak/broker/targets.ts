/** The three sinks of the numbers, and what they hold in the end beside what the topic holds. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import type { LogBroker } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { shardFolderName } from '../../../plugins/sinks/files/shard-folder.ts';
import { compareLines, linesIn, recordsOf } from '../queue-comparison.ts';
import { numberIn, TOPIC, VALUE_BYTES } from './numbers.ts';

/** Each once, in their order; each once; each at least once. */
export const FILES = 'numbers-files';
const ROWS = 'numbers-rows';
export const LINES = 'numbers-lines';

const LINES_FILE = 'lines.jsonl';

const READER = { topics: TOPIC, 'tasks.max': '8' };
const BYTES = { 'key.converter': 'bytes', 'value.converter': 'bytes' };

export const SINKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [FILES]: { 'connector.class': 'file-sink', ...READER, ...BYTES, directory: 'files' },
  [ROWS]: {
    'connector.class': 'sql-sink',
    ...READER,
    'connection.url': 'sqlite:rows.db',
    'auto.create': 'true',
    'value.converter': 'json',
    'value.converter.schemas.enable': 'false',
  },
  [LINES]: { 'connector.class': 'file-stream-sink', ...READER, ...BYTES, file: LINES_FILE },
};

export interface Held {
  readonly records: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Queues whose records are in the files in another order. */
  readonly outOfOrder: number;
  /** The first few of what is wrong, for people. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;

/** How many were appended, those that were appended again included. */
export function appended(folder: string): number {
  const { size = 0 } = statSync(join(folder, LINES_FILE), { throwIfNoEntry: false }) ?? {};
  return Math.floor(size / (VALUE_BYTES + 1));
}

/** Of what was appended, how much is not in the topic so often. `end`: behind the highest number. */
export async function appendedAgain(folder: string, log: LogBroker, end: number): Promise<number> {
  const inTopic = new Uint8Array(end);
  for (const queue of await log.queues(TOPIC)) noteAll(inTopic, await numbersIn(log, queue));
  const inLines = await linesOf(folder, end);
  return inLines.reduce((sum, count, number) => sum + Math.max(count - (inTopic[number] ?? 0), 0), 0);
}

/** Once nobody writes any more, for parts of files show when they are complete. `end`: numbers below it were acknowledged. */
export async function lookAt(
  folder: string,
  { log, filesUid, end }: { readonly log: LogBroker; readonly filesUid: string; readonly end: number },
): Promise<Held> {
  const tally = { records: 0, lost: 0, duplicated: 0, outOfOrder: 0 };
  const examples: string[] = [];
  const inTopic = new Uint8Array(end);
  for (const queue of await log.queues(TOPIC)) {
    const sent = await numbersIn(log, queue);
    noteAll(inTopic, sent);
    const folderName = shardFolderName(queueShardId(filesUid, queue));
    const files = [...linesIn(join(folder, 'files', folderName))].map(numberIn);
    const { lost, duplicated, firstAt } = compareLines(sent, files);
    tally.records += sent.length;
    tally.lost += lost;
    tally.duplicated += duplicated;
    if (firstAt >= 0 && lost + duplicated === 0) tally.outOfOrder += 1;
    if (firstAt >= 0) examples.push(`${queueKey(queue)} in files: ${lost} lost, ${duplicated} too many, from offset ${firstAt}`);
  }
  const [rows, lines] = [rowsIn(folder, end), await linesOf(folder, end)];
  for (const [number, count] of inTopic.entries()) {
    const [inRows, inLines] = [rows[number] ?? 0, lines[number] ?? 0];
    const isLost = count === 0 || inRows < count || inLines < count;
    if (isLost) tally.lost += 1;
    if (inRows > count) tally.duplicated += inRows - count;
    if (isLost || inRows > count)
      examples.push(`${number} is ${count} times in the topic, ${inRows} in rows, ${inLines} in lines`);
  }
  return { ...tally, examples: examples.slice(0, EXAMPLES_MAX) };
}

function noteAll(counts: Uint8Array, numbers: readonly number[]): void {
  for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1;
}

async function numbersIn(log: LogBroker, queue: MessageQueue): Promise<readonly number[]> {
  const numbers: number[] = [];
  for await (const { value } of recordsOf(log, queue)) numbers.push(numberIn(value ?? new Uint8Array()));
  return numbers;
}

/** How often each number is there. */
function rowsIn(folder: string, count: number): Uint8Array {
  const counts = new Uint8Array(count);
  const database = new DatabaseSync(join(folder, 'rows.db'), { readOnly: true });
  try {
    for (const { id, times } of database.prepare(`SELECT id, count(*) AS times FROM ${TOPIC} GROUP BY id`).iterate()) {
      counts[Number(id)] = Number(times);
    }
  } finally {
    database.close();
  }
  return counts;
}

async function linesOf(folder: string, count: number): Promise<Uint8Array> {
  const counts = new Uint8Array(count);
  for await (const line of createInterface({ input: createReadStream(join(folder, LINES_FILE)) })) {
    // Torn by the death of who wrote it: the record is there again.
    if (line.length !== VALUE_BYTES) continue;
    const number = numberIn(Buffer.from(line.slice(0, 20)));
    counts[number] = (counts[number] ?? 0) + 1;
  }
  return counts;
}
