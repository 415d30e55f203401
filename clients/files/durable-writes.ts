import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolders } from './make-folders.ts';

/** Writes all of it, `at` a place of the file or, with `null`, at its end. A full disk may take a part, then throw. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at: number | null): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at === null ? null : at + written);
    written += bytesWritten;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder and those above it that are missing, all of them durable. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const first = await makeFolders(folder);
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
