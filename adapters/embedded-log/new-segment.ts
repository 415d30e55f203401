import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes an empty segment, open for writing. What lay in a file of that name never was in the log. Its name is durable, and so
 * are the folders above it. Throws what the file system throws.
 */
export function newSegment(path: string): number {
  const folder = dirname(path);
  const firstMade = mkdirSync(folder, { recursive: true });
  const fd = openSync(path, 'w');
  try {
    syncFolder(folder);
    if (firstMade !== undefined) for (const above of foldersFrom(folder, dirname(firstMade))) syncFolder(above);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** The parents of `folder` up to `top`, the lowest first. */
function foldersFrom(folder: string, top: string): readonly string[] {
  const folders: string[] = [];
  for (let above = dirname(folder); above.length >= top.length; above = dirname(above)) {
    folders.push(above);
    if (above === top) break;
  }
  return folders;
}

/** Makes the names in a folder durable. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
