/** An invoker over a data folder, and connectors whose sink behaves as the case wants. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { DataFolder } from '../../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../../adapters/system.ts';
import { assert } from '../../../core/assert.ts';
import { StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import type { EndedHolder, Offer } from '../../../core/offer.ts';
import type { Clock, Invoker } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { anOffer } from '../../support/hosts.ts';
import { outgoing } from '../../support/log-records.ts';
import type { Behaviour } from './unruly-plugins.ts';

export interface InvokerTerms {
  readonly hostsMax?: number;
  readonly slotsPerHost?: number;
  readonly limitMs?: number;
  readonly silenceMs?: number;
  readonly idleMs?: number;
  readonly clock?: Clock;
}

export interface OpenInvoker {
  readonly invoker: Invoker;
  /** Ends what the invoker has started. */
  close(): Promise<void>;
}

/** `dataFolder`: where the test has its connectors. Invocations find the plugins of `unruly-plugins.ts`. */
export type NewInvoker = (
  deps: { readonly dataFolder: string; readonly telemetry: MemoryTelemetry },
  terms: InvokerTerms,
) => Promise<OpenInvoker>;

/** Something that the sink did, where, and with which variables in its environment. */
export interface Mark {
  readonly pid: number;
  readonly threadId: number;
  readonly connector: string;
  readonly what: 'opened' | 'put' | 'closed';
  readonly env: readonly string[];
}

export interface TestConnector {
  readonly name: string;
  /** Its one queue holds three records. */
  offer(ended?: readonly EndedHolder[]): Offer;
  /** Who holds a claim. */
  holders(): Promise<readonly EndedHolder[]>;
}

export class InvokerUnderTest {
  readonly dataFolder: string;
  readonly telemetry = new MemoryTelemetry();
  readonly #newInvoker: NewInvoker;
  readonly #folder: DataFolder;
  readonly #opened: OpenInvoker[] = [];
  readonly #marks: string;
  /** In hosts that can be seen, and that a plugin can end. */
  readonly hosts?: true;
  /** In processes of their own. */
  readonly processes?: true;

  constructor(
    { dataFolder, folder }: { readonly dataFolder: string; readonly folder: DataFolder },
    newInvoker: NewInvoker,
    abilities: { readonly hosts?: true; readonly processes?: true },
  ) {
    this.dataFolder = dataFolder;
    this.#folder = folder;
    this.#newInvoker = newInvoker;
    this.#marks = join(dataFolder, 'marks');
    Object.assign(this, abilities);
  }

  async invoker(terms: InvokerTerms = {}): Promise<OpenInvoker['invoker']> {
    return (await this.open(terms)).invoker;
  }

  /** It is closed with the subject, unless the case has closed it. */
  async open(terms: InvokerTerms = {}, dataFolder = this.dataFolder): Promise<OpenInvoker> {
    const { invoker, close } = await this.#newInvoker({ dataFolder, telemetry: this.telemetry }, terms);
    let closed: Promise<void> | undefined;
    const opened: OpenInvoker = {
      invoker,
      close: () => {
        closed ??= close();
        return closed;
      },
    };
    this.#opened.push(opened);
    return opened;
  }

  async connector(does: Behaviour): Promise<TestConnector> {
    const { store, broker } = this.#folder;
    const deps = { store, clock: systemClock, random: systemRandom };
    const name = `${does}-${systemRandom.id()}`;
    await broker.ensureTopic(name, { queues: 1 });
    const [queue] = await broker.queues(name);
    assert(queue !== undefined, 'the topic has a queue');
    await broker.send(queue, outgoing('a', 'b', 'c'));
    const config = { 'connector.class': 'unruly-sink', topics: name, 'value.converter': 'string', does, marks: this.#marks };
    const { uid } = await createConnector(deps, { name, config });
    const shard = queueShardId(uid, queue);
    return {
      name,
      offer: (ended = []) => anOffer({ name, uid }, shard, { id: systemRandom.id(), ended }),
      async holders() {
        const stored = await StoredCursor.read(deps, shard);
        assert(stored?.cursor.kind === 'log', 'the shard has a cursor');
        return stored.cursor.open.flatMap((range) =>
          range.kind === 'held' ? [{ owner: range.holder.owner, epoch: range.epoch, isGone: true }] : [],
        );
      },
    };
  }

  /** Lets every put end that waits. */
  release(): void {
    writeFileSync(`${this.#marks}.go`, '');
  }

  marks(what?: Mark['what']): readonly Mark[] {
    if (!existsSync(this.#marks)) return [];
    const lines = readFileSync(this.#marks, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Mark).filter((mark) => what === undefined || mark.what === what);
  }

  /** As soon as there are so many. */
  async untilMarked(what: Mark['what'], count = 1): Promise<readonly Mark[]> {
    await vi.waitFor(() => expect(this.marks(what).length).toBeGreaterThanOrEqual(count), { timeout: 20_000, interval: 5 });
    return this.marks(what);
  }

  async close(): Promise<void> {
    this.release();
    await Promise.all(this.#opened.map((opened) => opened.close()));
    await this.#folder.close();
    rmSync(this.dataFolder, { recursive: true });
  }
}

export function hostOf({ pid, threadId }: Mark): string {
  return `${pid}/${threadId}`;
}
