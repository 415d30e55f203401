/**
 * What operators do to a connector: create it, change its target state or configuration, reset its offsets, delete it.
 *
 * Every change writes the connector's document first (revision + 1) and then raises the gate of every cursor. A scheduler that
 * dies between two gates leaves them behind the document; whoever finds such a gate raises it before claiming. Acting twice
 * changes nothing more.
 */

import { backoffMs } from '../core/backoff.ts';
import { PUT_TIMEOUT_MAX_MS } from '../core/config/connector-config.ts';
import { type Connector, connectorKey, decodeConnector, encodeConnector, type TargetState } from '../core/connector.ts';
import type { Cursor } from '../core/cursor/cursor.ts';
import { resumingAt } from '../core/cursor/source-checkpoint.ts';
import { type ResetRefusal, raiseGate, reset, restart } from '../core/cursor/steer.ts';
import { cursorPartition, type StoreAccess, StoredCursor } from '../core/cursor/stored-cursor.ts';
import { documentsIn, type ListedDocument } from '../core/document-pages.ts';
import { ConfigError, type ConfigIssue, FatalTaskError, FencedError, RetryableError } from '../core/errors.ts';
import { type Json, jsonEquals } from '../core/json.ts';
import type { Offset } from '../core/offset.ts';
import type { StateStore, StoredDocument } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';

import { noteChange } from './change-notes.ts';
import { noteDeleted } from './deleted-connectors.ts';

/** Two operators who change one connector at once: each retry sees the other's document. */
const CONFLICTS_MAX = 16;

/** How long an action goes on asking a store that does not answer, per document. */
const STORE_PATIENCE_MS = 10_000;

/** Puts of a new connector's document: the last one is sent two to five seconds after the first. */
const CREATES_MAX = 5;

type NewConnector = Pick<Connector, 'name' | 'config'> & { readonly targetState?: TargetState };

/** @throws {ConfigError} when the name is taken; {RetryableError} when the store does not answer. */
export async function createConnector(
  deps: StoreAccess,
  { name, config, targetState = 'running' }: NewConnector,
): Promise<Connector> {
  const connector: Connector = { name, config, targetState, uid: deps.random.id(), revision: 1, createdAtMs: deps.clock.nowMs() };
  const result = await putNew(deps, connector);
  // A reply that was lost and sent again meets its own document.
  const isOurs =
    'version' in result || (result.current !== null && decodeConnector(result.current.value, name).uid === connector.uid);
  if (!isOurs)
    throw new ConfigError([{ path: 'name', message: `Connector ${name} already exists` }], { code: 'connector.exists' });
  await noteChange(deps, name);
  return connector;
}

/** Resolves once every gate is raised: from then on nothing starts that the new state does not allow (I9). */
export function setTargetState(
  deps: StoreAccess,
  name: string,
  targetState: Exclude<TargetState, 'deleted'>,
): Promise<Connector> {
  return changeConnector(deps, name, (connector) =>
    connector.targetState === targetState ? connector : { ...connector, targetState },
  );
}

/** The configuration it has already changes nothing. */
export function changeConfig(deps: StoreAccess, name: string, config: Connector['config']): Promise<Connector>;
/** As above, but only as long as the connector is still the one it was; otherwise nothing is changed, and the answer is `null`. */
export function changeConfig(
  deps: StoreAccess,
  name: string,
  config: Connector['config'],
  options: { readonly ifStill: Connector },
): Promise<Connector | null>;
export async function changeConfig(
  deps: StoreAccess,
  name: string,
  config: Connector['config'],
  { ifStill }: { readonly ifStill?: Connector } = {},
): Promise<Connector | null> {
  const seen: { isOther: boolean } = { isOther: false };
  const changed = await changeConnector(deps, name, (connector) => {
    seen.isOther = ifStill !== undefined && (connector.uid !== ifStill.uid || connector.revision !== ifStill.revision);
    return seen.isOther || jsonEquals(connector.config, config) ? connector : { ...connector, config };
  });
  return seen.isOther ? null : changed;
}

/** Failed shards become active; those of a truncated log stay, for only a reset helps them. */
export async function restartShards(
  deps: StoreAccess,
  { name, uid }: Connector,
  isChosen: (shard: ShardId) => boolean = () => true,
): Promise<void> {
  let writes = 0;
  try {
    await eachCursor(deps, { uid, isChosen }, async (cursor) => {
      await cursor.change(restart, { forMs: STORE_PATIENCE_MS });
      writes += cursor.writes;
    });
  } finally {
    if (writes > 0) await noteChange(deps, name);
  }
}

/** An offset, or a source's own checkpoint, for each shard to reset; a shard that is not named keeps its own. */
export type ResetPositions = ReadonlyMap<ShardId, Offset | Json>;

/**
 * Shards that could not be reset: the connector is not stopped yet, a slice may still be held or a put of it may still land,
 * or there is no such shard.
 *
 * @throws {ConfigError} naming each shard that was given a position of the other kind; then none is reset. {FatalTaskError} of a
 * named one that cannot be read, when all others are done.
 */
export async function resetOffsets(
  deps: StoreAccess,
  { uid }: Pick<Connector, 'uid'>,
  { positions, skewMaxMs }: { readonly positions: ResetPositions; readonly skewMaxMs: number },
): Promise<ReadonlyMap<ShardId, ResetRefusal | 'unknown-shard'>> {
  const unknown = await unknownShards(deps, uid, positions);
  const refused = new Map<ShardId, ResetRefusal | 'unknown-shard'>(unknown.map((shard) => [shard, 'unknown-shard']));
  // An `overwrite` target's last put may land so late; which target it is no scheduler knows, nor what its holder's limit was.
  const graceMs = skewMaxMs + PUT_TIMEOUT_MAX_MS;
  const isChosen = (shard: ShardId): boolean => positions.has(shard);
  await eachCursor(deps, { uid, isChosen }, async (cursor) => {
    const position = positions.get(cursor.shard) ?? null;
    const result = await resetCursor(cursor, { position, nowMs: deps.clock.nowMs(), graceMs });
    if (result.kind === 'refused') refused.set(cursor.shard, result.reason);
  });
  return refused;
}

/**
 * Closes every gate, then removes the cursors, and the document last: until then the name stays taken. A cursor that is created
 * meanwhile is removed later, by `sweepDeleted`. One that nobody here can read goes like the others, its gate as it was.
 *
 * @throws {ConfigError} when there is none of this name, or, with `ifUid`, when it is another one by now.
 */
export async function deleteConnector(
  deps: StoreAccess,
  name: string,
  { ifUid }: { readonly ifUid?: string } = {},
): Promise<void> {
  const deleted = await writeConnector(deps, name, (connector) => {
    if (ifUid !== undefined && connector.uid !== ifUid) throw notFound(name);
    return connector.targetState === 'deleted' ? connector : { ...connector, targetState: 'deleted' };
  });
  const { uid } = deleted;
  await noteChange(deps, name);
  await unlessUnreadable(() => raiseGates(deps, deleted));
  // One after the other, as in `eachCursor`.
  for await (const cursor of documentsIn(deps.store, cursorPartition(uid))) await removeCursor(deps, cursor);
  await noteDeleted(deps, uid);
  await removeDocument(deps, deleted);
}

// ---------------------------------------------------------------------------------------------------------------------

/** A scheduler may write to it meanwhile what it has noted of the connector. */
async function removeDocument({ store }: StoreAccess, { name, uid }: Connector): Promise<void> {
  let document = await store.get(connectorKey(name));
  for (let conflicts = 0; conflicts <= CONFLICTS_MAX; conflicts += 1) {
    if (document === null || decodeConnector(document.value, name).uid !== uid) return;
    const result = await store.delete(connectorKey(name), { ifVersion: document.version });
    if ('deleted' in result) return;
    document = result.current;
  }
  throw new RetryableError(`connector ${name} is being changed by others all the time`, { code: 'store.unavailable' });
}

/** Sent again where no reply came: the operator could not, for a second create is another connector. */
async function putNew({ store, clock, random }: StoreAccess, connector: Connector): ReturnType<StateStore['put']> {
  const document = encodeConnector(connector);
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await store.put(connectorKey(connector.name), document, { ifAbsent: true });
    } catch (error) {
      if (!(error instanceof RetryableError) || attempts === CREATES_MAX) throw error;
      await clock.sleep(backoffMs({ attempts, maxMs: STORE_PATIENCE_MS }, random));
    }
  }
}

type Reset = ReturnType<typeof reset<Cursor>>;

/** The named shards that have no cursor. @throws {ConfigError} when one that has is given a position of the other kind. */
async function unknownShards(deps: StoreAccess, uid: string, positions: ResetPositions): Promise<readonly ShardId[]> {
  const unknown = new Set(positions.keys());
  const issues: ConfigIssue[] = [];
  const check = async ({ shard, cursor: { kind } }: StoredCursor): Promise<void> => {
    unknown.delete(shard);
    const isOffset = typeof positions.get(shard) === 'bigint';
    if (isOffset !== (kind === 'log'))
      issues.push({ path: shard, message: kind === 'log' ? 'needs an offset of its queue' : "needs a source's own checkpoint" });
  };
  // One that cannot be read is met again by the reset, which says so when it has done the others.
  await unlessUnreadable(() => eachCursor(deps, { uid, isChosen: (shard) => positions.has(shard) }, check));
  if (issues.length > 0) throw new ConfigError(issues);
  return [...unknown];
}

async function resetCursor(
  cursor: StoredCursor,
  { position, ...moment }: { readonly position: Offset | Json; readonly nowMs: number; readonly graceMs: number },
): Promise<Reset> {
  let result: Reset | undefined;
  await cursor.change(
    (current) => {
      const at = current.kind === 'checkpoint' ? resumingAt(position as Json) : (position as Offset);
      result = reset<Cursor>(current, { position: at, ...moment });
      return result.kind === 'reset' ? result.cursor : current;
    },
    { forMs: STORE_PATIENCE_MS },
  );
  return result as Reset;
}

/** Writes the document, then the gates. A change that answers the connector it was given only raises what is behind. */
async function changeConnector(deps: StoreAccess, name: string, change: (connector: Connector) => Connector): Promise<Connector> {
  const changed = await writeConnector(deps, name, (connector) => {
    // What is being deleted cannot come back: its cursors are going, one after the other (I9).
    if (connector.targetState === 'deleted') throw notFound(name);
    return change(connector);
  });
  await noteChange(deps, name);
  await raiseGates(deps, changed);
  return changed;
}

/** Resolves once the gate of every cursor says what the document does. */
export async function raiseGates(deps: StoreAccess, { uid, targetState, revision }: Connector): Promise<void> {
  const gate = { state: targetState, revision };
  await changeCursors(deps, uid, (cursor) => raiseGate(cursor, gate));
}

async function writeConnector(
  { store }: StoreAccess,
  name: string,
  change: (connector: Connector) => Connector,
): Promise<Connector> {
  let document: StoredDocument | null = await store.get(connectorKey(name));
  for (let conflicts = 0; conflicts <= CONFLICTS_MAX; conflicts += 1) {
    if (document === null) throw notFound(name);
    const connector = decodeConnector(document.value, name);
    const changed = change(connector);
    if (changed === connector) return connector;
    const next = { ...changed, revision: connector.revision + 1 };
    const result = await store.put(connectorKey(name), encodeConnector(next), { ifVersion: document.version });
    if ('version' in result) return next;
    document = result.current;
  }
  throw new FencedError(`connector ${name} is being changed by others all the time`);
}

function notFound(name: string): ConfigError {
  return new ConfigError([{ path: 'name', message: `Connector ${name} not found` }], { code: 'connector.not_found' });
}

async function changeCursors(deps: StoreAccess, uid: string, transition: (cursor: Cursor) => Cursor): Promise<void> {
  await eachCursor(deps, { uid }, async (cursor) => {
    await cursor.change(transition, { forMs: STORE_PATIENCE_MS });
  });
}

/**
 * One that cannot be read keeps no other from being acted upon.
 *
 * @throws {FatalTaskError} of the first that could not be read, when all others are done.
 */
async function eachCursor(
  deps: StoreAccess,
  { uid, isChosen = () => true }: { readonly uid: string; readonly isChosen?: (shard: ShardId) => boolean },
  act: (cursor: StoredCursor) => Promise<void>,
): Promise<void> {
  const unreadable: FatalTaskError[] = [];
  // One after the other: an action on thousands of shards must not crowd out the invocations.
  for await (const { key, value, version } of documentsIn(deps.store, cursorPartition(uid))) {
    const shard = key.sort as ShardId;
    if (!isChosen(shard)) continue;
    const trouble = await unlessUnreadable(() => unlessGone(() => act(StoredCursor.of(deps, shard, { value, version }))));
    if (trouble !== null) unreadable.push(trouble);
  }
  const [first] = unreadable;
  if (first !== undefined) throw first;
}

/** Whatever it says by now. Its holders find themselves fenced. */
async function removeCursor({ store }: StoreAccess, { key, version: listed }: ListedDocument): Promise<void> {
  let version = listed;
  for (let conflicts = 0; conflicts <= CONFLICTS_MAX; conflicts += 1) {
    const result = await store.delete(key, { ifVersion: version });
    if ('deleted' in result) return;
    version = result.current.version;
  }
  throw new RetryableError(`more than ${CONFLICTS_MAX} conflicts on the cursor of ${key.sort}`, { code: 'store.unavailable' });
}

/** A cursor that was deleted meanwhile needs nothing any more. */
async function unlessGone(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
  }
}

/** Answers why something was left undone: a document is of a newer format, or corrupt. */
async function unlessUnreadable(act: () => Promise<void>): Promise<FatalTaskError | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof FatalTaskError) return error;
    throw error;
  }
}
