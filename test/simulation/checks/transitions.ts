/** Names the transitions a write consists of, by what changed: the run must have seen each of them. */
import type { CheckpointCursor, Cursor, LogCursor } from '../../../core/cursor/cursor.ts';
import { jsonEquals } from '../../../core/json.ts';

export const transitionNames = [
  'create',
  'claim',
  'claim of a free range',
  'claimTail',
  'closeTail',
  'commit',
  'commitAndClaim',
  'release',
  'fail',
  'reclaim',
  'reclaim of a tail',
  'halve',
  'failShard',
  'restart',
  'skip',
  'gate',
  'reset',
  'gone',
  'source claim',
  'source reclaim',
  'source commit',
  'source release',
  'source fail',
  'finish',
] as const;

export type TransitionName = (typeof transitionNames)[number];

export function transitionsOf(before: Cursor | null, after: Cursor): TransitionName[] {
  if (before === null) return ['create'];
  const names: TransitionName[] = [];
  if (after.generation !== before.generation) names.push('reset');
  if (after.gate.revision !== before.gate.revision) names.push('gate');
  if (after.status.state !== before.status.state) names.push(...statusChange(before, after));
  if (before.kind === 'log' && after.kind === 'log') names.push(...logChange(before, after));
  if (before.kind === 'checkpoint' && after.kind === 'checkpoint') names.push(...checkpointChange(before, after));
  return names;
}

function statusChange(before: Cursor, after: Cursor): TransitionName[] {
  const { state } = after.status;
  if (state === 'failed') return ['failShard'];
  if (state === 'gone') return ['gone'];
  if (state === 'done') return ['finish'];
  return before.status.state === 'active' ? [] : ['restart'];
}

function logChange(before: LogCursor, after: LogCursor): TransitionName[] {
  const names: TransitionName[] = [];
  const claimed =
    after.epoch > before.epoch ? after.open.find((range) => range.kind === 'held' && range.epoch === after.epoch) : undefined;
  const committed = before.open.some(
    (range) => range.kind === 'held' && !after.open.some((other) => other.start === range.start && other.end === range.end),
  );
  if (claimed !== undefined) {
    const taken = before.open.find(({ start }) => start === claimed.start);
    if (claimed.end === null) names.push('claimTail');
    else if (taken?.kind === 'held') {
      names.push('reclaim');
      if (taken.end === null) names.push('reclaim of a tail');
      else if (claimed.end < taken.end) names.push('halve');
    } else names.push(taken === undefined ? 'claim' : 'claim of a free range');
    if (committed && taken?.kind !== 'held') names.push('commitAndClaim');
    return names;
  }
  const tail = before.open.at(-1);
  if (
    tail?.end === null &&
    after.open.some((range) => range.kind === 'held' && range.epoch === heldEpoch(tail) && range.end !== null)
  )
    names.push('closeTail');
  else if (
    after.open.some(
      (range) => range.kind === 'free' && !before.open.some((other) => other.kind === 'free' && other.end === range.end),
    )
  ) {
    const freed = after.open.find(
      (range) => range.kind === 'free' && !before.open.some((other) => other.kind === 'free' && other.end === range.end),
    );
    names.push(freed?.kind === 'free' && freed.error !== null ? 'fail' : 'release');
  } else if (committed) names.push('commit');
  if ((after.gaps?.count ?? 0) > (before.gaps?.count ?? 0)) names.push('skip');
  return names;
}

function heldEpoch(range: LogCursor['open'][number]): number {
  return range.kind === 'held' ? range.epoch : -1;
}

function checkpointChange(before: CheckpointCursor, after: CheckpointCursor): TransitionName[] {
  if (after.epoch > before.epoch) return [before.holder === null ? 'source claim' : 'source reclaim'];
  if (before.holder !== null && after.holder === null) return [after.error === null ? 'source release' : 'source fail'];
  return jsonEquals(before.checkpoint, after.checkpoint) ? [] : ['source commit'];
}
