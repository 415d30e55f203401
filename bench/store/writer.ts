/**
 * One of several processes that write the same file: `writer.ts KIND PATH DOCUMENTS DURATION_MS`. Says `ready`, starts with
 * the next message, and answers what it measured.
 */
import { once } from 'node:events';
import process from 'node:process';
import { SqliteStateStore } from '../../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { counterDocument, countIn, sortOf } from './counter-document.ts';
import { openRawDocuments } from './raw-documents.ts';

/** `puts` and `conflicts` hold for the whole run, `measuredPuts` and `putMs` for what follows the warm-up. */
export interface Written {
  readonly puts: number;
  readonly measuredPuts: number;
  readonly measuredConflicts: number;
  readonly errors: number;
  readonly putMs: Float64Array;
}

const WARM_UP_MS = 500;
const [kind, path = '', documents = '', durationMs = ''] = process.argv.slice(2);

process.send?.('ready');
await once(process, 'message');
const written = await write(kind === 'raw' ? rawCas(path) : storeCas(path), Number(durationMs));
process.send?.(written, () => process.disconnect());

/** Reads a document and counts it up; resolves with whether it won. Calls `onPut` between the two. */
type Cas = (sort: string, onPut: () => void) => Promise<boolean> | boolean;

async function write(cas: Cas, runMs: number): Promise<Written> {
  let puts = 0;
  let measuredPuts = 0;
  let measuredConflicts = 0;
  let errors = 0;
  let putAtMs = 0;
  const putMs: number[] = [];
  const startedAtMs = performance.now();
  const onPut = () => {
    putAtMs = performance.now();
  };
  for (let endedAtMs = startedAtMs; endedAtMs - startedAtMs < WARM_UP_MS + runMs; ) {
    let won: boolean | undefined;
    try {
      won = await cas(sortOf(Math.floor(Math.random() * Number(documents))), onPut);
    } catch {
      errors += 1;
    }
    endedAtMs = performance.now();
    if (won === true) puts += 1;
    if (endedAtMs - startedAtMs < WARM_UP_MS) continue;
    putMs.push(endedAtMs - putAtMs);
    if (won === true) measuredPuts += 1;
    if (won === false) measuredConflicts += 1;
  }
  return { puts, measuredPuts, measuredConflicts, errors, putMs: Float64Array.from(putMs) };
}

function storeCas(file: string): Cas {
  const store = new SqliteStateStore({ path: file, clock: systemClock, random: systemRandom });
  return async (sort, onPut) => {
    const key = { partition: 'bench', sort };
    const current = await store.get(key);
    if (current === null) throw new Error(`${sort} is gone`);
    const next = counterDocument(countIn(current.value) + 1);
    onPut();
    return 'version' in (await store.put(key, next, { ifVersion: current.version }));
  };
}

function rawCas(file: string): Cas {
  const raw = openRawDocuments(file);
  return (sort, onPut) => {
    const current = raw.get(sort);
    const next = counterDocument(countIn(current.value) + 1);
    onPut();
    return raw.replace(sort, next, current.version);
  };
}
