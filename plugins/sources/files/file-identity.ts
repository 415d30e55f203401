/** Which file it is, whatever it is called: log rotation renames files, and makes others under their names. */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../../clients/files/file-error.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { type Footprint, foundIn, type StoredFootprint } from './footprint.ts';

/** Files of one folder that may be looked at to find one that was renamed. */
const SIBLINGS_MAX = 1_000;

/** What logrotate, log4j and others put behind a name: a number, a date, a word. Another file may have a name that begins alike. */
const ROTATED = /^[._-](\d[\d._:TZ-]*|old|bak|prev|orig)$/i;

/** An opened file that is one. */
export interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
  readonly stat: BigIntStats;
}

/** `null` where there is none. @throws {FatalTaskError} for a folder, a device, a pipe. */
export async function openFile(path: string): Promise<OpenFile | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  const found = await file.stat({ bigint: true });
  if (found.isFile()) return { path, file, stat: found };
  await file.close();
  throw new FatalTaskError(`${path} is not a file that can be read from a place in it; next: name a regular file`, {
    details: { path },
  });
}

/** What was read of it is in it. */
export interface FoundFile {
  readonly opened: OpenFile;
  readonly footprint: Footprint;
}

export interface FileIdentity extends StoredFootprint {
  /** Digits. */
  readonly inode: string;
}

export async function footprintIn({ file, stat }: OpenFile, identity: FileIdentity): Promise<Footprint | null> {
  return String(stat.ino) === identity.inode ? foundIn(file, identity) : null;
}

/** A file of this identity under another name of the same folder. */
export async function findRenamed(path: string, identity: FileIdentity): Promise<FoundFile | null> {
  for (const sibling of await siblingsOf(path)) {
    if (String(sibling.stat.ino) !== identity.inode) continue;
    const opened = await openFile(sibling.path);
    if (opened === null) continue;
    const footprint = await footprintIn(opened, identity);
    if (footprint !== null) return { opened, footprint };
    await opened.file.close();
  }
  return null;
}

/** The next file of a rotated series that nobody has read: the oldest one that was written to after `last` was. */
export async function findSuccessor(path: string, last: BigIntStats): Promise<OpenFile | null> {
  const current = await statOf(path);
  let successor: Sibling | null = null;
  for (const sibling of await siblingsOf(path)) {
    const { ino, mtimeNs } = sibling.stat;
    if (ino === last.ino || ino === current?.ino || mtimeNs <= last.mtimeNs) continue;
    if (successor === null || mtimeNs < successor.stat.mtimeNs) successor = sibling;
  }
  return successor === null ? null : openFile(successor.path);
}

interface Sibling {
  readonly path: string;
  readonly stat: BigIntStats;
}

/** `app.log.1`, `app.log-20260101` of `app.log`. */
async function siblingsOf(path: string): Promise<readonly Sibling[]> {
  const [folder, name] = [dirname(path), basename(path)];
  const names = (await readdir(folder)).filter((other) => other.startsWith(name) && ROTATED.test(other.slice(name.length)));
  const siblings: Sibling[] = [];
  for (const other of names.slice(0, SIBLINGS_MAX)) {
    const found = await statOf(join(folder, other));
    if (found?.isFile() === true) siblings.push({ path: join(folder, other), stat: found });
  }
  return siblings;
}

/** `null` where there is none. */
export async function statOf(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
