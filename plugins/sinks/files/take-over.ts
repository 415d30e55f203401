/**
 * How a claim becomes the only one that writes the parts of a shard, on nothing but a file system.
 *
 * An older claim's writer may still run: stopped in the middle of any step, it goes on later and knows of nothing. What keeps it
 * from doing harm:
 *
 * 1. The new claim plants its mark: an empty journal, made exclusively.
 * 2. It renames all open parts. From here on no older writer can publish: that is a `rename()` of a part from its old name, which
 *    does not exist any more.
 * 3. Only then it reads the journals of older claims. An older writer looks for marks after each line of its journal, and takes
 *    a put for done only where it finds none: so the new claim has read every line that anybody ever counted on.
 * 4. An open part that was renamed is still the writer's: the lines that the journal knows are copied into a part of the new
 *    claim's own, for the older writer may still add to the old one. One that is not there was published a moment before, and may
 *    have been taken away since, if the journal says that it was about to be: that line is written and durable before the part gets
 *    its name. If it does not, the part never reached the disk before the power was lost, and none of its lines was counted on.
 *    One that is there and whose lines are published, too, has kept both names when the power was lost: it is not copied.
 * 5. The copy is made durable. Then the first line of the new journal says where the shard stands, and is made durable, too.
 * 6. It looks for marks itself. Where one is newer, it has lost, and has neither removed nor published anything: the newer one
 *    began from the same journals, or from the line of step 5.
 * 7. Now what the older claims left is removed.
 *
 * A crash between any two steps leaves the older journals and the renamed part in place, and the next claim begins with step 1.
 */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncFolder, writeAll } from '../../../clients/files/durable-writes.ts';
import { errnoOf } from '../../../clients/files/file-error.ts';
import { FatalTaskError, FencedError, RetryableError } from '../../../core/errors.ts';
import { newerGeneration, type SliceIdentity } from '../../api/sink.ts';
import {
  ClaimJournal,
  type ClaimName,
  claimFile,
  compareClaims,
  emptyState,
  type FoundClaim,
  inNewJournal,
  listState,
  type PartState,
  readStates,
  type StateFolder,
} from './claim-journal.ts';
import { isPublished } from './published-part.ts';

/** A claim that begins again at its epoch, or begins twice at once. More is somebody else's mistake. */
const ATTEMPTS_MAX = 1_000;

/** An older claim that is being begun at the same time renames the same parts; each can do so once or twice. */
const SEALS_MAX = 10;

/** The claim in hand: its journal, the state of its last line, and the open part. */
export interface Claim {
  readonly name: ClaimName;
  readonly journal: ClaimJournal;
  readonly state: PartState;
  readonly part: FileHandle | null;
}

/** `kept`: the writer's own earlier claim. Where nobody came between, its open part goes on without a copy. */
export async function takeOver(folder: string, slice: SliceIdentity, kept: Claim | null): Promise<Claim> {
  const { name, journal } = await plantMark(folder, slice);
  let copy: FileHandle | null = null;
  try {
    const found = await listState(folder);
    demandNewest(found, name);
    const older = found.claims.filter((claim) => compareClaims(claim, name) < 0);
    const goesOn = kept !== null && claimFile(kept.name) === older.at(-1)?.file;
    const { state, part } = goesOn ? kept : await adopt(folder, { older, found, name });
    if (!goesOn) copy = part;
    // In this order: of a journal that has its first line the next claim takes what the line says to be there.
    await part?.datasync();
    await syncFolder(folder);
    await journal.append(state);
    await journal.sync();
    const left = await listState(folder);
    demandNewest(left, name);
    await removeAll(folder, [...older.map(({ file }) => file), ...left.others.filter((file) => file !== state.file)]);
    return { name, journal, state, part };
  } catch (error) {
    await journal.close();
    await copy?.close();
    // Only a newer claim removes what this one has listed.
    if (errnoOf(error) === 'ENOENT') demandNewest(await listState(folder), name);
    throw error;
  }
}

/** @throws {FencedError} where a newer claim has left its mark. */
export function demandNewest({ claims }: StateFolder, mine: ClaimName): void {
  const newest = claims.at(-1);
  if (newest === undefined || compareClaims(newest, mine) <= 0) return;
  throw new FencedError(`generation ${newest.generation}, epoch ${newest.epoch} writes these parts by now`);
}

/** The first name of a part; behind it stands the claim that has taken it away. */
const PART_FILE = /^[\d-]+\.part/;

export function partFile(name: ClaimName, number: number): string {
  return `${base(name)}-${number}.part`;
}

// ---------------------------------------------------------------------------------------------------------------------

async function plantMark(
  folder: string,
  slice: SliceIdentity,
): Promise<{ readonly name: ClaimName; readonly journal: ClaimJournal }> {
  const { generation, epoch } = slice;
  const known = await listState(folder);
  const newest = known.claims.at(-1);
  if (newest !== undefined && newest.generation > generation) throw newerGeneration(slice, newest.generation);
  demandNewest(known, { generation, epoch, attempt: ATTEMPTS_MAX });
  const tried = newest?.generation === generation && newest.epoch === epoch ? newest.attempt : 0;
  for (let attempt = tried + 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const name = { generation, epoch, attempt };
    try {
      return { name, journal: await ClaimJournal.create(folder, name) };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  throw new FencedError(`epoch ${epoch} was begun ${ATTEMPTS_MAX} times`);
}

interface Found {
  /** The newest last. */
  readonly older: readonly FoundClaim[];
  readonly found: StateFolder;
  readonly name: ClaimName;
}

/** Where the claims before have left the shard, with their open part as one of this claim. */
async function adopt(folder: string, { older, found, name }: Found): Promise<Pick<Claim, 'state' | 'part'>> {
  const sealed = await sealAll(folder, { found, name });
  const states = await lastStates(folder, older);
  const last = states.at(-1);
  if (last === undefined) return { state: emptyState(name.generation), part: null };
  const { file } = last;
  if (file === null) return { state: inNewJournal(last, null), part: null };
  const left = sealed.has(file) ? join(folder, sealedFile(file, name)) : null;
  if (await wasPublished(dirname(folder), { last, left })) {
    // Its writer may have died before it did so, and the journal that says what was published goes in step 7.
    await syncFolder(dirname(folder));
    return { state: inNewJournal(last, null), part: null };
  }
  if (left === null) return { state: stateBefore(states, { folder, file }), part: null };
  const part = await open(left, 'r');
  try {
    return await copied(part, folder, { states, file, name });
  } finally {
    await part.close();
  }
}

/**
 * `left`: the path of the open part, where it is still there. Then only the public name tells, with the same lines: that there is
 * a second link may be somebody's backup. So a part that has kept both names, and whose public one was taken away since, is
 * published once more: nothing tells it from one that never got that name, and lines that come twice are better than none.
 */
async function wasPublished(
  shardFolder: string,
  { last, left }: { readonly last: PartState; readonly left: string | null },
): Promise<boolean> {
  if (left === null) return last.publishes || last.v === 1;
  if (last.v === 1) return (await stat(left)).nlink > 1;
  return last.publishes && (await isPublished(shardFolder, last));
}

/** Of the newest claim that got as far as its first line. */
async function lastStates(folder: string, older: readonly FoundClaim[]): Promise<readonly PartState[]> {
  // One after the other, for nearly always the first one has them.
  for (const claim of older.toReversed()) {
    const states = await readStates(folder, claim);
    if (states.length > 0) return states;
  }
  return [];
}

/**
 * Takes every open part from its writer, and answers their first names. Removes none: another claim that begins at the same time may
 * know better which one counts.
 */
async function sealAll(
  folder: string,
  { found, name }: { readonly found: StateFolder; readonly name: ClaimName },
): Promise<ReadonlySet<string>> {
  let listed = found;
  for (let tried = 0; tried < SEALS_MAX; tried += 1) {
    const sealed = await renamedAll(folder, listed, name);
    if (sealed !== undefined) return sealed;
    listed = await listState(folder);
    demandNewest(listed, name);
  }
  throw new RetryableError(`the open parts in ${folder} were renamed again and again`);
}

/** The parts that are there, by their first names; `undefined` where one was renamed by somebody else meanwhile, or published. */
async function renamedAll(folder: string, { others }: StateFolder, name: ClaimName): Promise<ReadonlySet<string> | undefined> {
  const parts = new Set<string>();
  for (const other of others) {
    const file = PART_FILE.exec(other)?.[0];
    if (file === undefined) continue;
    try {
      await rename(join(folder, other), join(folder, sealedFile(file, name)));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    parts.add(file);
  }
  return parts;
}

/** Copies put by put, up to the last one that the disk holds whole: after a loss of power that may be less than the journal says. */
async function copied(
  from: FileHandle,
  folder: string,
  { states, file: wanted, name }: { readonly states: readonly PartState[]; readonly file: string; readonly name: ClaimName },
): Promise<Pick<Claim, 'state' | 'part'>> {
  const file = partFile(name, 0);
  const part = await open(join(folder, file), 'wx');
  try {
    let good: PartState | null = null;
    let [bytes, crc] = [0, 0];
    for (const state of states.filter((one) => one.file === wanted)) {
      const piece = await readPiece(from, { at: bytes, length: state.bytes - bytes });
      crc = crc32(piece, crc);
      if (piece.length < state.bytes - bytes || crc !== state.crc) break;
      await writeAll(part, piece, bytes);
      bytes = state.bytes;
      good = state;
    }
    if (good !== null) return { state: inNewJournal(good, file), part };
    const state = stateBefore(states, { folder, file: wanted });
    await part.close();
    return { state, part: null };
  } catch (error) {
    await part.close();
    // On a full disk each attempt would leave one.
    await rm(join(folder, file), { force: true });
    throw error;
  }
}

/** Where the shard stood before anything was put into this part. */
function stateBefore(
  states: readonly PartState[],
  { folder, file }: { readonly folder: string; readonly file: string },
): PartState {
  const state = states.findLast((one) => one.file !== file);
  if (state === undefined) throw damaged(folder, file);
  return inNewJournal(state, null);
}

/** Shorter at the end of the file. */
async function readPiece(file: FileHandle, { at, length }: { readonly at: number; readonly length: number }): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(piece, read, length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return piece.subarray(0, read);
}

/** The first line of a journal and what it speaks of were made durable before anybody counted on them. */
function damaged(folder: string, file: string): FatalTaskError {
  return new FatalTaskError(
    `the open part ${file} in ${folder} is not what was written; next: restore the folder from a backup, or stop the connector, remove this folder and reset the offsets of the shard`,
    { details: { path: folder } },
  );
}

function sealedFile(file: string, by: ClaimName): string {
  return `${file}.${base(by)}`;
}

function base(name: ClaimName): string {
  return claimFile(name).replace('.claim', '');
}

async function removeAll(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(join(folder, file), { force: true });
}
