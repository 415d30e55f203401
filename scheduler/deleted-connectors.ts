/**
 * What a deletion may leave behind, and who removes it.
 *
 *   1. an invocation reads the connector's document: it is running
 *   2. an operator deletes the connector: its cursors as they are listed, then its document
 *   3. the invocation creates a cursor, the first of a queue or one of a discovery's, and ends or dies
 *
 * Nobody lists the cursors of that uid again. So a deletion leaves a note, and when no invocation from before it can be alive
 * any more, a sweep removes what lies there. Until then it does no harm: without the document nothing is offered or claimed.
 */
import { cursorPartition, type StoreAccess } from '../core/cursor/stored-cursor.ts';
import type { CancelSignal, DocumentKey } from '../core/ports.ts';

const PARTITION = 'deleted';

/**
 * No invocation lives so long: AWS Lambda, for one, ends it after 15 minutes
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read 2026-11-26). The rest is for machines that
 * stand still meanwhile.
 */
const SWEPT_AFTER_MS = 24 * 3_600_000;

/** Of one sweep: it runs beside a tick, and what is left waits for the next one. */
const NOTES_MAX = 10;
const CURSORS_MAX = 100;

/** To be called once the document says deleted, and before it goes: its uid is in no other place. */
export async function noteDeleted({ store, clock }: StoreAccess, uid: string): Promise<void> {
  // A conflict is this very note, its reply having been lost.
  await store.put(keyOf({ uid, dueAtMs: clock.nowMs() + SWEPT_AFTER_MS }), '{"v":1}', { ifAbsent: true });
}

/** Removes what is left of connectors deleted long ago, a bounded part of it. Safe to run twice at once, and to die in. */
export async function sweepDeleted({ store, clock }: Pick<StoreAccess, 'store' | 'clock'>, signal?: CancelSignal): Promise<void> {
  const { documents: notes } = await store.list(PARTITION, { limit: NOTES_MAX });
  for (const { key, version } of notes) {
    const { uid, dueAtMs } = noteOf(key);
    // The soonest come first.
    if (dueAtMs > clock.nowMs()) return;
    if (await removeCursors(store, uid, signal)) await store.delete(key, { ifVersion: version });
  }
}

/** `false`: there may be more. Unread, for a cursor that nobody can decode has to go as well. */
async function removeCursors(store: StoreAccess['store'], uid: string, signal?: CancelSignal): Promise<boolean> {
  const { documents, next } = await store.list(cursorPartition(uid), { limit: CURSORS_MAX });
  let all = next === undefined;
  for (const { key, version } of documents) {
    if (signal?.aborted === true) return false;
    const result = await store.delete(key, { ifVersion: version });
    if ('conflict' in result) all = false;
  }
  return all;
}

/** All that a note says is in its key, so that a list begins with what is due first. */
function keyOf({ uid, dueAtMs }: { readonly uid: string; readonly dueAtMs: number }): DocumentKey {
  return { partition: PARTITION, sort: `${String(Math.round(dueAtMs)).padStart(16, '0')}/${uid}` };
}

function noteOf({ sort }: DocumentKey): { readonly uid: string; readonly dueAtMs: number } {
  const end = sort.indexOf('/');
  return { uid: sort.slice(end + 1), dueAtMs: Number(sort.slice(0, end)) };
}
