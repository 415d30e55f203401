/** Compares what topics add up to with what the tables hold, and looks whether every change is there once and in its order. */
import type { LogBroker } from '../../../core/ports.ts';
import type { Comparison } from '../../comparison.ts';
import type { Deliveries } from '../deliveries.ts';
import { type Run, rowsOf } from './busy-tables.ts';
import { compareTables, DATABASE, type Row } from './table-rows.ts';
import { TopicRecords } from './topic-records.ts';

export interface Checked {
  readonly comparison: Comparison;
  readonly deliveries: Deliveries;
}

/** Of records that a connector with this `prefix` has sent. */
export async function checkTopics(broker: LogBroker, run: Run, { prefix }: { readonly prefix: string }): Promise<Checked> {
  const tables = await rowsOf(run);
  const found = new Map<string, readonly Row[]>();
  const all: Deliveries[] = [];
  for (const [name, { key }] of tables) {
    const { rows, deliveries } = await TopicRecords.read(broker, `${prefix}-${DATABASE}-${name}`, key);
    found.set(name, rows);
    all.push(deliveries);
  }
  const sum = (of: (one: Deliveries) => number): number => all.reduce((total, one) => total + of(one), 0);
  const deliveries = {
    records: sum(({ records }) => records),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder),
    examples: all.flatMap(({ examples }) => examples),
  };
  return { comparison: compareTables(tables, found), deliveries };
}
