/**
 * What a claim has put, as a journal: one line of JSON for each put, saying where the shard and its open part stand since; and one
 * more before a part is published, so that a part that is gone can be told from one that never reached the disk.
 *
 * Each claim has a journal of its own, `GENERATION-EPOCH-ATTEMPT.claim`, that no other ever writes to. Its name is also the mark
 * that tells older claims that they are over.
 */
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAll } from '../../../clients/files/durable-writes.ts';
import type { Json } from '../../../core/json.ts';

/** Of the format. A later version reads earlier ones. */
const VERSION = 2;

/** The shard, and its open part, behind one put. */
export interface PartState {
  /** 1: nothing was written before a part was published, by a second link to it, and only then was its first name removed. */
  readonly v: 1 | typeof VERSION;
  /** Of the open part; a claim of a later generation publishes it and begins anew. */
  readonly generation: number;
  /** What the runtime stores beside the records; `null` before the first put. */
  readonly position: Json;
  /** Lines of this generation so far: what numbers the parts of records that have no offset. */
  readonly count: number;
  /** Name of the open part in the state folder; `null` without one. The fields below are about it. */
  readonly file: string | null;
  readonly bytes: number;
  readonly records: number;
  /** CRC-32 of all its bytes: power may fail after the journal reached the disk, and before the lines did. */
  readonly crc: number;
  /** For its name: offset of its first line, and right behind its last one. */
  readonly start: string;
  readonly end: string;
  readonly openedAtMs: number;
  /** From here on the open part may have been published: where it is gone, or its lines are there under their public name, it was. */
  readonly publishes: boolean;
}

export function emptyState(generation: number): PartState {
  return {
    v: VERSION,
    generation,
    position: null,
    count: 0,
    file: null,
    bytes: 0,
    records: 0,
    crc: 0,
    start: '0',
    end: '0',
    openedAtMs: 0,
    publishes: false,
  };
}

/** As a line of a new journal, with its open part under this name, or without one. */
export function inNewJournal(state: PartState, file: string | null): PartState {
  const open = file === null ? { file, bytes: 0, records: 0, crc: 0 } : { file };
  return { ...state, ...open, v: VERSION, publishes: false };
}

export interface ClaimName {
  readonly generation: number;
  readonly epoch: number;
  /** A claim may begin again at its epoch: each time counts as later than the one before. */
  readonly attempt: number;
}

export interface FoundClaim extends ClaimName {
  readonly file: string;
}

const CLAIM_FILE = /^(\d+)-(\d+)-(\d+)\.claim$/;

export function claimFile({ generation, epoch, attempt }: ClaimName): string {
  return `${generation}-${epoch}-${attempt}.claim`;
}

/** Below zero when `a` was begun before `b`. */
export function compareClaims(a: ClaimName, b: ClaimName): number {
  return a.generation - b.generation || a.epoch - b.epoch || a.attempt - b.attempt;
}

/** Everything in a state folder: of few files, for each claim removes what older ones left. */
export interface StateFolder {
  /** The newest last. */
  readonly claims: readonly FoundClaim[];
  readonly others: readonly string[];
}

export async function listState(folder: string): Promise<StateFolder> {
  const claims: FoundClaim[] = [];
  const others: string[] = [];
  for (const file of await readdir(folder)) {
    const claim = CLAIM_FILE.exec(file);
    if (claim === null) others.push(file);
    else claims.push({ file, generation: Number(claim[1]), epoch: Number(claim[2]), attempt: Number(claim[3]) });
  }
  return { claims: claims.sort(compareClaims), others };
}

/** All states of a claim, in order; none where it died before its first line was whole. */
export async function readStates(folder: string, { file }: FoundClaim): Promise<readonly PartState[]> {
  const text = await readFile(join(folder, file), 'utf8');
  const states: PartState[] = [];
  for (const line of text.split('\n')) {
    const state = parsedState(line);
    // Torn by a crash: nothing behind it was ever acknowledged.
    if (state === undefined) break;
    states.push(state);
  }
  return states;
}

function parsedState(line: string): PartState | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as PartState;
  } catch {
    return undefined;
  }
}

/** The journal of the claim in hand. */
export class ClaimJournal {
  readonly #file: FileHandle;
  #isSynced = true;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Throws `EEXIST` where this very claim has a journal already. */
  static async create(folder: string, name: ClaimName): Promise<ClaimJournal> {
    return new ClaimJournal(await open(join(folder, claimFile(name)), 'ax'));
  }

  async append(state: PartState): Promise<void> {
    this.#isSynced = false;
    await writeAll(this.#file, Buffer.from(`${JSON.stringify(state)}\n`), null);
  }

  async sync(): Promise<void> {
    if (this.#isSynced) return;
    await this.#file.datasync();
    this.#isSynced = true;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
