/**
 * Bugs that are planted to see whether anything finds them: small changes of the product's source, made while it is loaded.
 *
 * A patch whose text is no longer in its file fails, so that the list cannot go stale.
 */
export interface PlantedBug {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'commit past an open slice',
    file: 'core/cursor/commit.ts',
    find: 'if (range !== held) open.push(range);',
    replace: 'if (range !== held && range.start > held.start) open.push(range);',
  },
  {
    name: 'ignore the epoch',
    file: 'core/cursor/commit.ts',
    find: "if (range.kind !== 'held' || range.epoch !== epoch) continue;",
    replace: "if (range.kind !== 'held' || (range.end !== null && upTo > range.end)) continue;",
  },
  {
    name: 'drop the rest on release',
    file: 'core/cursor/commit.ts',
    find: "end === progress.upTo\n      ? null\n      : {\n          kind: 'free'",
    replace: "failure === null\n      ? null\n      : {\n          kind: 'free'",
  },
  {
    name: 'a half lost in halving',
    file: 'core/cursor/claim.ts',
    find: 'else open.splice(open.indexOf(taken) + 1, 0,',
    replace: 'else [].splice(open.indexOf(taken) + 1, 0,',
  },
  {
    name: 'resume off by one',
    file: 'functions/log-work.ts',
    find: 'this.#read = slice.start;',
    replace: 'this.#read = (slice.deaths > 0 ? slice.start + 1n : slice.start) as typeof slice.start;',
  },
  {
    name: 'dead letter after the commit',
    file: 'functions/dead-letter.ts',
    find: 'const { refused } = await host.broker.send(queue, records);',
    replace: 'void host.clock.sleep(50).then(() => host.broker.send(queue, records)).catch(() => undefined); const refused = [];',
  },
  {
    name: 'a lost reply taken as failure and skipped',
    file: 'core/cursor/stored-cursor.ts',
    find: 'if (!(error instanceof RetryableError) ||',
    replace:
      'if (error instanceof RetryableError) { this.#cursor = changed; await this.refresh(); return changed; }\n        if (!(error instanceof RetryableError) ||',
  },
  {
    name: 'claim without a look at the gate',
    file: 'core/cursor/claim.ts',
    find: "if (gate.state !== 'running') return refused('gate-closed', null);",
    replace: '',
  },
  {
    name: 'claim with an old configuration',
    file: 'core/cursor/claim.ts',
    find: "if (gate.revision !== revision) return refused('revision-differs', null);",
    replace: '',
  },
  {
    name: 'a uid used again',
    file: 'scheduler/connector-actions.ts',
    find: 'uid: deps.random.id(),',
    replace: 'uid: name,',
  },
  {
    name: 'a log that ends before next is ignored',
    file: 'functions/log-check.ts',
    find: 'if (max < cursor.next)',
    replace: 'if (max < cursor.next && max > cursor.next)',
  },
  {
    name: 'a topic created anew and refilled is ignored',
    file: 'functions/log-check.ts',
    find: 'if (first !== null && first > lastStoredAtMs + skewMaxMs)',
    replace: 'if (first !== null && first < 0)',
  },
  {
    name: 'a claim beyond a tail',
    file: 'core/cursor/claim.ts',
    find: "if (tailHeld) return refused('held', notBeforeMs);",
    replace: '',
  },
  {
    name: 'reclaim without the skew',
    file: 'core/cursor/claim.ts',
    find: 'return holder.deadlineAtMs + graceMs;',
    replace: 'return holder.deadlineAtMs - 15_000;',
  },
  {
    name: 'a new queue starts at latest',
    file: 'functions/open-shard.ts',
    find: "if (reset === 'earliest') return bounds.min;",
    replace: "if (reset === 'earliest') return bounds.min;\n  if (reset === 'latest') return bounds.max;",
  },
  {
    name: 'an ordered claim beyond a head in back-off',
    file: 'core/cursor/claim.ts',
    find: "if (head?.kind === 'free' && head.retryAtMs > request.nowMs) return refused('backing-off', head.retryAtMs);\n  return { range: head ?? null };",
    replace: "return { range: head?.kind === 'free' && head.retryAtMs > request.nowMs ? null : (head ?? null) };",
  },
  {
    name: 'a transactional target keyed without generation',
    file: 'test/support/memory-sink.ts',
    find: 'row?.generation === slice.generation ? row.position : null',
    replace: 'row === undefined ? null : row.position',
  },
  {
    name: 'begin only on a new writer',
    file: 'functions/run-invocation.ts',
    find: 'if (begun !== slice.identity.epoch) await begin(delivery);',
    replace: 'if (begun === -1) await begin(delivery);',
  },
  {
    name: 'a checkpoint ahead of durable sends',
    file: 'functions/log-writer.ts',
    find: 'const { refused } = await this.#host.broker.send(queue, records);',
    replace: 'void this.#host.broker.send(queue, records).catch(() => undefined); const refused = [];',
  },
  {
    name: 'an exactly-once checkpoint ahead of durable sends',
    file: 'functions/exactly-once-writer.ts',
    find: 'const { firstOffset, refused } = await this.#host.broker.send(queue, fresh.records);',
    replace:
      'const sending = this.#host.broker.send(queue, fresh.records); sending.catch(() => undefined); const firstOffset = 0n, refused = [];',
  },
  {
    name: 'no look-back after an unclean end',
    file: 'functions/exactly-once-writer.ts',
    find: 'if (!this.#lookBack || this.#pins.size === 0) return null;',
    replace: 'if (this.#pins.size >= 0) return null;',
  },
  {
    name: 'a look-back at once',
    file: 'functions/exactly-once-writer.ts',
    find: 'await this.#host.clock.sleep(SEND_LANDS_WITHIN_MS);',
    replace: '',
  },
  {
    name: 'commit before flush',
    file: 'functions/settle.ts',
    find: 'await limited(invocation, work, (signal) => writer.flush(signal));\n  work.flushed();',
    replace: 'work.flushed();\n  void limited(invocation, work, (signal) => writer.flush(signal)).catch(() => undefined);',
  },
  {
    name: 'put again into a transactional target in one epoch',
    file: 'functions/deliver.ts',
    find: "if (delivery.effect === 'transactional') throw new SliceBroken(error);",
    replace: '',
  },
  {
    name: 'an overwrite target does not wait for a late put',
    file: 'functions/claim-terms.ts',
    find: "return effect === 'overwrite' ? runtime['put.timeout.ms'] : 0;",
    replace: "return effect === 'overwrite' && runtime['put.timeout.ms'] < 0 ? 1 : 0;",
  },
  {
    name: 'a gap passed over in silence',
    file: 'core/cursor/steer.ts',
    find: 'const gaps = { count:',
    replace: 'const gaps = start >= 0n ? cursor.gaps : { count:',
  },
];
