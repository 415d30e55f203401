/** What a published part is called in the shard's folder, and whether one is there. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { PartState } from './claim-journal.ts';

/** Digits of the largest offset, so that names sort by it. */
const OFFSET_DIGITS = 19;

/** What no other part of the shard has in its name. Prefix and extension are the configuration's. */
export function nameOfLines({ generation, start, end }: PartState): string {
  const [from, to] = [start, end].map((offset) => offset.padStart(OFFSET_DIGITS, '0'));
  return `${generation}-${from}-${to}`;
}

/** Whether the lines of this part stand in the shard's folder, by their name and byte by byte: the name may be somebody else's. */
export async function isPublished(shardFolder: string, state: PartState): Promise<boolean> {
  const files = await readdir(shardFolder, { withFileTypes: true });
  for (const file of files) {
    // The configuration may have changed since it got its name.
    if (!file.isFile() || !file.name.includes(nameOfLines(state))) continue;
    if (await holds(join(shardFolder, file.name), state)) return true;
  }
  return false;
}

async function holds(path: string, { bytes, crc }: PartState): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size !== bytes) return false;
    let found = 0;
    for await (const piece of file.createReadStream({ autoClose: false })) found = crc32(piece as Buffer, found);
    return found === crc;
  } finally {
    await file.close();
  }
}
