/** A sink connector of these worlds: how it is configured, what a record of it costs, and what was seen of it. */
import { type Connector, connectorKey } from '../../../core/connector.ts';
import type { Gate } from '../../../core/cursor/cursor.ts';
import type { RunCounts } from '../../../core/offer.ts';
import type { DocumentKey } from '../../../core/ports.ts';
import type { ModelledTarget } from './modelled-target.ts';

export interface ConnectorSetup {
  readonly name: string;
  readonly queues: number;
  readonly tasksMax: number;
  /** Slices of one queue at once; 1: in order. */
  readonly slicesMax: number;
  readonly freshnessMs: number;
  readonly usPerRecord: number;
}

const BYTES_PER_RECORD = 500;

export class ModelledConnector {
  readonly setup: ConnectorSetup;
  readonly connector: Connector;
  readonly key: DocumentKey;
  readonly gate: Gate = { state: 'running', revision: 1 };
  readonly target: ModelledTarget;
  readonly bytesPerRecord = BYTES_PER_RECORD;
  /** Of invocations that ended. */
  readonly totals = { invocations: 0, empty: 0, slices: 0, conflicts: 0, throttled: 0, delivered: 0 };
  /** How long records had waited when they were delivered: of each arrival. */
  readonly waitsMs: number[] = [];

  constructor(setup: ConnectorSetup, { target, createdAtMs }: { readonly target: ModelledTarget; readonly createdAtMs: number }) {
    const { name, tasksMax, slicesMax, freshnessMs } = setup;
    this.setup = setup;
    this.target = target;
    this.key = connectorKey(name);
    this.connector = {
      name,
      uid: `uid-${name}`,
      revision: 1,
      targetState: 'running',
      createdAtMs,
      config: {
        'connector.class': 'discard-sink',
        topics: name,
        'tasks.max': String(tasksMax),
        'freshness.ms': String(freshnessMs),
        ...(slicesMax === 1 ? {} : { 'delivery.order': 'none', 'queue.slices.max': String(slicesMax) }),
      },
    };
  }

  get slicesMax(): number {
    return this.setup.slicesMax;
  }

  get usPerRecord(): number {
    return this.setup.usPerRecord;
  }

  /** What each slice took, in the order in which slices ended. */
  readonly slicesMs: number[] = [];

  delivered(records: number, waitedMs: number | null): void {
    this.totals.delivered += records;
    if (waitedMs !== null) this.waitsMs.push(waitedMs);
  }

  ended({ slices, conflicts, throttled }: RunCounts): void {
    this.totals.invocations += 1;
    if (slices === 0) this.totals.empty += 1;
    this.totals.slices += slices;
    this.totals.conflicts += conflicts;
    this.totals.throttled += throttled;
  }
}
