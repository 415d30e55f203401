/** The HTTP API with a thousand connectors: how long answers take, what the process holds, and whether histories are linearizable. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '../adapters/system.ts';
import { isLinearizable, type Operation } from './api/linearizable.ts';
import { quantile, type Report } from './figure.ts';
import { residentBytesOf } from './whole/process-use.ts';
import type { Answer, Sortie } from './whole/sortie.ts';
import { withWhole } from './whole/whole.ts';

const CONNECTORS = 1_000;
/** Of each kind of request. */
const CALLS = 300;
const WARM_UP_CALLS = 20;

const CLIENTS = 50;
/** Of each client. */
const TURNS = 100;
/** What the clients share: several are at each of them at any time. */
const CONTESTED = 10;

const GOAL_LIST_MS = 100;
const GOAL_CHANGE_MS = 50;
const GOAL_RESIDENT_MB = 250;

const PLAIN_SERVER = fileURLToPath(new URL('./api/plain-server.ts', import.meta.url));
const CONFIG = { 'connector.class': 'discard-sink', 'value.converter': 'bytes' };

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    const sortie = whole.start();
    report.note(`state and log in ${whole.dataFolder}; Node ${process.version}; ${CONNECTORS} sinks, one client at a time`);
    report.note('  reference: a Node process that answers every request with a body of that many bytes, and does nothing else');
    const memory = new MostMemory(sortie);
    for (let index = 0; index < CONNECTORS; index += 1) {
      await sortie.apply(nameOf(index), { ...CONFIG, topics: `topic-${index % 100}` });
      memory.look();
    }
    await reads(report, sortie, memory);
    await changes(report, sortie, memory);
    await histories(report, sortie, memory);
    report.figure({ name: 'resident memory, most', value: memory.megabytes, unit: 'MB', goal: { atMost: GOAL_RESIDENT_MB } });
  });
}

async function reads(report: Report, sortie: Sortie, memory: MostMemory): Promise<void> {
  const list = '/connectors?expand=info&expand=status';
  const { text } = await sortie.ask('GET', list);
  report.note(`list: GET ${list}, ${text.length} bytes; status: GET of one connector's, one after the other`);
  const ours = await timesOf(CALLS, () => asked(sortie.ask('GET', list), 200, memory));
  const plain = await plainTimes(text.length);
  figure(report, { name: 'list with expand, 99th percentile', ours, plain, goalMs: GOAL_LIST_MS });
  const one = await timesOf(CALLS, (call) => asked(sortie.ask('GET', `/connectors/${nameOf(call)}/status`), 200, memory));
  figure(report, { name: 'status of one, 99th percentile', ours: one, plain: await plainTimes(100), goalMs: GOAL_LIST_MS });
}

async function changes(report: Report, sortie: Sortie, memory: MostMemory): Promise<void> {
  const plain = await plainTimes(100);
  const path = (call: number): string => `/connectors/new-${call + WARM_UP_CALLS}`;
  const create = (call: number): unknown => ({
    name: path(call).slice('/connectors/'.length),
    config: { ...CONFIG, topics: 'new' },
  });
  const created = await timesOf(CALLS, (call) => asked(sortie.ask('POST', '/connectors', create(call)), 201, memory));
  const paused = await timesOf(CALLS, (call) => asked(sortie.ask('PUT', `${path(call)}/pause`), 202, memory));
  const deleted = await timesOf(CALLS, (call) => asked(sortie.ask('DELETE', path(call)), 204, memory));
  for (const [name, ours] of Object.entries({ create: created, pause: paused, delete: deleted })) {
    figure(report, { name: `${name}, 99th percentile`, ours, plain, goalMs: GOAL_CHANGE_MS });
  }
}

/** A connector's configuration, known by one number in it; `null`: there is no such connector. */
type Register = number | null;

const NUMBER_KEY = 'errors.retry.delay.max.ms';
const NUMBER_MIN = 1_000;

async function histories(report: Report, sortie: Sortie, memory: MostMemory): Promise<void> {
  report.note(
    `${CLIENTS} clients at once, ${TURNS} requests each on ${CONTESTED} connectors: create, configure, read, delete, at random; each connector's answers must fit one order`,
  );
  const seen = Array.from({ length: CONTESTED }, (): Operation<Register>[] => []);
  let numbers = NUMBER_MIN;
  let errors = 0;
  const client = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const index = Math.floor(systemRandom.next() * CONTESTED);
      numbers += 1;
      const { request, meaning } = turnOf(`contested-${index}`, systemRandom.next(), numbers);
      const calledAtMs = performance.now();
      const answer = await sortie.ask(...request);
      const answeredAtMs = performance.now();
      const apply = meaning(answer);
      if (apply === null) errors += 1;
      else seen[index]?.push({ calledAtMs, answeredAtMs, apply });
      memory.look();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const wrong = seen.filter((operations) => !isLinearizable<Register>(null, operations)).length;
  report.figure({ name: 'requests that got no answer of theirs', value: errors, unit: 'requests', goal: { exactly: 0 } });
  report.figure({ name: 'histories that fit no order', value: wrong, unit: `of ${CONTESTED}`, goal: { exactly: 0 } });
}

type Meaning = (answer: Answer) => Operation<Register>['apply'] | null;

/** `meaning`: what the answer says of the state; `null` for an answer that says nothing. */
function turnOf(
  name: string,
  choice: number,
  number: number,
): { readonly request: Parameters<Sortie['ask']>; readonly meaning: Meaning } {
  const path = `/connectors/${name}`;
  const config = { ...CONFIG, topics: 'contested', [NUMBER_KEY]: String(number) };
  if (choice < 0.15) {
    return {
      request: ['POST', '/connectors', { name, config }],
      meaning: ({ status }) => byStatus(status, { 201: (state) => (state === null ? number : undefined), 409: ifThere }),
    };
  }
  if (choice < 0.4) {
    return {
      request: ['PUT', `${path}/config`, config],
      meaning: ({ status }) =>
        byStatus(status, {
          200: (state) => (state === null ? undefined : number),
          201: (state) => (state === null ? number : undefined),
        }),
    };
  }
  if (choice < 0.5) {
    return {
      request: ['DELETE', path],
      meaning: ({ status }) => byStatus(status, { 204: (state) => (state === null ? undefined : null), 404: ifAbsent }),
    };
  }
  return {
    request: ['GET', `${path}/config`],
    meaning: ({ status, text }) =>
      byStatus(status, {
        200: (state) => (state === Number((JSON.parse(text) as Record<string, string>)[NUMBER_KEY]) ? state : undefined),
        404: ifAbsent,
      }),
  };
}

function byStatus(
  status: number,
  meanings: Readonly<Record<number, Operation<Register>['apply']>>,
): Operation<Register>['apply'] | null {
  return meanings[status] ?? null;
}

function ifThere(state: Register): Register | undefined {
  return state === null ? undefined : state;
}

function ifAbsent(state: Register): Register | undefined {
  return state === null ? null : undefined;
}

// ---------------------------------------------------------------------------------------------------------------------

interface Times {
  readonly name: string;
  readonly ours: Float64Array;
  readonly plain: Float64Array;
  readonly goalMs: number;
}

function figure(report: Report, { name, ours, plain, goalMs }: Times): void {
  const reference = quantile(plain, 0.99);
  report.figure({ name, value: quantile(ours, 0.99), unit: 'ms', reference, goal: { atMost: goalMs } });
}

/** What each call took, ms, after some that warm up, whose numbers are below zero. */
async function timesOf(calls: number, call: (index: number) => Promise<void>): Promise<Float64Array> {
  const tookMs = new Float64Array(calls);
  for (let index = -WARM_UP_CALLS; index < calls; index += 1) {
    const startedAtMs = performance.now();
    await call(index);
    if (index >= 0) tookMs[index] = performance.now() - startedAtMs;
  }
  return tookMs;
}

async function asked(answer: Promise<Answer>, expected: number, memory: MostMemory): Promise<void> {
  const { status, text } = await answer;
  if (status !== expected) throw new Error(`HTTP ${status}: ${text}`);
  memory.look();
}

async function plainTimes(bytes: number): Promise<Float64Array> {
  const child = spawn(process.execPath, [PLAIN_SERVER, String(bytes)], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    return await timesOf(CALLS, async () => {
      await (await fetch(`http://127.0.0.1:${port}/`)).text();
    });
  } finally {
    child.kill();
  }
}

class MostMemory {
  readonly #sortie: Sortie;
  #bytes = 0;

  constructor(sortie: Sortie) {
    this.#sortie = sortie;
  }

  get megabytes(): number {
    return this.#bytes / 1_000_000;
  }

  look(): void {
    this.#bytes = Math.max(this.#bytes, residentBytesOf(this.#sortie.pid));
  }
}

function nameOf(index: number): string {
  return `sink-${(index + CONNECTORS) % CONNECTORS}`;
}
