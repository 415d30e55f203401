/**
 * A process that claims a shard and writes its parts until it is killed: `parts-writing.ts DIRECTORY EPOCH`. It tells where it begins,
 * and each position that a flush has made durable.
 */
import process from 'node:process';
import { aPartWriter } from './part-writers.ts';

/** Large enough for a kill to come in the middle of a write now and then. */
const LINES = 2_000;

const [directory = '', epoch = ''] = process.argv.slice(2);
const writer = await aPartWriter({ directory, keys: { 'file.roll.records': String(3 * LINES) } });
let at = Number((await writer.begin({ epoch: Number(epoch) })) ?? 0);
await say(at);
for (;;) {
  await writer.put(at, at + LINES);
  at += LINES;
  await writer.put(at, at + 1);
  at += 1;
  await writer.flush();
  await say(at);
}

/** Waits until it is handed over, so that the parent knows all but the last one of whom it kills. */
async function say(position: number): Promise<void> {
  await new Promise((resolve) => process.send?.(position, resolve));
}
