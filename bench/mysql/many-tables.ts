/** Very many tables, each with a topic of its own. */
import { systemClock } from '../../adapters/system.ts';
import { residentBytesOf } from '../whole/process-use.ts';
import type { Whole } from '../whole/whole.ts';
import { type BenchDatabase, DATABASE } from './bench-database.ts';

export const TABLES = 2_000;
const ROWS = 10;
const LOOK_EVERY_MS = 50;
const READ_WITHIN_MS = 120_000;

export interface ManyTables {
  /** From the connector's creation until the rows of the last table are in its topic. */
  readonly readMs: number;
  readonly residentBytes: number;
}

export async function fillTables(database: BenchDatabase): Promise<void> {
  const values = Array.from({ length: ROWS }, (_, id) => `(${id})`).join(', ');
  for (let table = 0; table < TABLES; table += 1) {
    await database.run(`CREATE TABLE ${DATABASE}.${nameOf(table)} (id INT PRIMARY KEY)`);
    await database.run(`INSERT INTO ${DATABASE}.${nameOf(table)} VALUES ${values}`);
  }
}

/** `config`: of a connector whose topics begin with `prefix`. */
export async function readTables(
  whole: Whole,
  { prefix, config }: { readonly prefix: string; readonly config: Readonly<Record<string, string>> },
): Promise<ManyTables> {
  const sortie = whole.start();
  const startedAtMs = performance.now();
  await sortie.apply(prefix, { ...config, 'topic.prefix': prefix, 'table.include.list': `${DATABASE}.many_.*` });
  let residentBytes = 0;
  // Tables are read in the order of their names.
  while ((await whole.appended(topicOf(prefix, TABLES - 1))) < ROWS) {
    if (performance.now() > startedAtMs + READ_WITHIN_MS) throw new Error(await sortie.status(prefix));
    residentBytes = Math.max(residentBytes, residentBytesOf(sortie.pid));
    await systemClock.sleep(LOOK_EVERY_MS);
  }
  const readMs = performance.now() - startedAtMs;
  for (let table = 0; table < TABLES; table += 1) {
    const appended = await whole.appended(topicOf(prefix, table));
    if (appended !== ROWS) throw new Error(`${appended} of ${ROWS} rows are in ${topicOf(prefix, table)}`);
  }
  await sortie.remove(prefix);
  await sortie.stop();
  return { readMs, residentBytes };
}

function topicOf(prefix: string, table: number): string {
  return `${prefix}.${DATABASE}.${nameOf(table)}`;
}

function nameOf(table: number): string {
  return `many_${String(table).padStart(4, '0')}`;
}
