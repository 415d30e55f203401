import { type FileHandle, open } from 'node:fs/promises';

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
