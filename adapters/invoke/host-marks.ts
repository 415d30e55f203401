/**
 * What processes that run invocations leave in the data folder, so that whoever comes after the one that started them can tell when
 * the last of them has ended:
 *
 *     FOLDER/hosts/MARK OF WHO STARTED THEM/MARK OF ONE OF THEM
 *
 * The files are empty, and marks are `process-mark.ts`'s. Where the system has no marks there are no files.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import type { Telemetry } from '../../core/ports.ts';
import { hasEnded, markOf } from '../process-mark.ts';

const FOLDER = 'hosts';

/**
 * Leaves this process's mark, before it claims anything. Whoever does so looks afterwards whether the process that started this
 * one is still there: if so, all that come after that one see the mark. The answer removes it, when nothing runs here any more.
 */
export function leaveHostMark(dataFolder: string, { startedBy }: { readonly startedBy: number }): () => void {
  const [own, parent] = [markOf(process.pid), markOf(startedBy)];
  if (parent === null) return () => undefined;
  // Without its mark it would be taken for one that is not there.
  if (own === null) throw new Error(`process ${process.pid} cannot read its own entry in /proc`);
  const folder = folderOf(dataFolder, parent);
  const path = join(folder, nameOf(own));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, '');
  return () => rmSync(path, { force: true });
}

/** Whether it is sure that the process of this mark has ended, and every process that it has started to run invocations. */
export function hasEndedWithHosts(dataFolder: string, mark: string): boolean {
  if (!hasEnded(mark)) return false;
  try {
    return namesIn(folderOf(dataFolder, mark)).every((host) => hasEnded(markIn(host)));
  } catch {
    return false;
  }
}

/** Removes what tells of nobody who is there; what cannot be removed does no harm, and is told. */
export function sweepHostMarks(dataFolder: string, telemetry: Telemetry): void {
  const folder = join(dataFolder, FOLDER);
  try {
    for (const name of namesIn(folder)) {
      const mark = markIn(name);
      if (hasEndedWithHosts(dataFolder, mark)) rmSync(folderOf(dataFolder, mark), { recursive: true, force: true });
    }
  } catch (error) {
    telemetry.log(
      'warn',
      `${folder} cannot be cleared: ${messageOf(error)}; next: remove it while nothing uses its data folder`,
      {},
    );
  }
}

function folderOf(dataFolder: string, mark: string): string {
  return join(dataFolder, FOLDER, nameOf(mark));
}

/** Marks have slashes in them. */
function nameOf(mark: string): string {
  return mark.replaceAll('/', '~');
}

function markIn(name: string): string {
  return name.replaceAll('~', '/');
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
