/**
 * Makes a folder and those above it that are missing. Node's own `recursive` (24.21) never comes back where a folder is there and
 * nothing can be made in it, and the system says so as if it were missing: below `/proc`.
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './file-error.ts';

/** Answers the highest folder that was made; `undefined` where all were there. @throws the system's refusal. */
export async function makeFolders(path: string): Promise<string | undefined> {
  const highest = await mkdir(path).then(
    () => path,
    async (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return null;
      if (await isFolder(path)) return undefined;
      throw error;
    },
  );
  if (highest !== null) return highest;
  const above = await makeFolders(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(path))) throw error;
  }
  return above ?? path;
}

/** The same, for those who have nothing else to do. */
export function makeFoldersSync(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return demandFolder(path, error);
    makeFoldersSync(dirname(path));
    makeLast(path);
  }
}

function makeLast(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    demandFolder(path, error);
  }
}

function demandFolder(path: string, error: unknown): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
