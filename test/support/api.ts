/** The HTTP API over memory adapters, in this process. Every answer is held against the OpenAPI document that it serves. */
import { onTestFinished } from 'vitest';
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { LogLevels } from '../../adapters/telemetry/log-levels.ts';
import { type Connector, readConnector } from '../../core/connector.ts';
import { queueShardId, type ShardId } from '../../core/shard-id.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import type { SinkPlugin } from '../../plugins/api/sink.ts';
import type { SourcePlugin } from '../../plugins/api/source.ts';
import { allPlugins } from '../../plugins/registry.ts';
import { newApp } from '../../scheduler/app.ts';
import type { AppDeps } from '../../scheduler/app-deps.ts';
import { Events } from '../../scheduler/events.ts';
import { KnownConnectors } from '../../scheduler/known-connectors.ts';
import { aHost, anOffer, type TestHost } from './hosts.ts';
import { demandAnswer } from './openapi-answers.ts';
import { RunningClock } from './running-clock.ts';
import { aScheduler } from './schedulers.ts';

/** A platform that allows more than any slice takes. */
const LIMIT_MS = 60_000;

export interface ApiAnswer {
  readonly status: number;
  /** Parsed where it is JSON; `null` when there is none. */
  readonly body: unknown;
  readonly headers: Headers;
}

export interface RequestParts {
  /** As JSON, unless it is a text already; then it goes as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApi {
  readonly host: TestHost;
  readonly log: MemoryLogBroker;
  readonly app: ReturnType<typeof newApp>;
  /** Names of connectors that the scheduler was told of. */
  readonly changed: readonly string[];
  ask(method: string, path: string, parts?: RequestParts): Promise<ApiAnswer>;
  /** One slice of a shard: of a sink's first queue, unless named. */
  run(name: string, shard?: (uid: string) => ShardId): Promise<void>;
  connector(name: string): Promise<Connector>;
}

interface ApiFields {
  /** A scheduler runs, and leads, until the test ends. */
  readonly isScheduled?: boolean;
  readonly plugins?: readonly (SinkPlugin | SourcePlugin)[];
  readonly deps?: Partial<AppDeps>;
}

export const WORKER = '127.0.0.1:8083';

export function anApi({ plugins = [], deps = {}, isScheduled = false }: ApiFields = {}): TestApi {
  const clock = new RunningClock();
  const log = new MemoryLogBroker({ clock });
  const host = aHost({ plugins, clock, broker: log });
  const changed: string[] = [];
  const app = anApp(host, {
    scheduler: aFollower({ connectorChanged: (name) => changed.push(name) }),
    plugins: async () => [...plugins, ...(await allPlugins())],
    ...(isScheduled ? scheduled(host) : {}),
    ...deps,
  });
  // Where keys are demanded nobody may read the document without one.
  const described = deps.access === undefined ? app : anApp(host);
  const connector = async (name: string): Promise<Connector> => (await readConnector(host, name)) as Connector;
  return {
    host,
    log,
    app,
    changed,
    connector,
    ask: async (method, path, parts = {}) => {
      const response = await app.request(path, requestInit(method, parts));
      const text = await response.text();
      const answer = { status: response.status, body: bodyOf(response, text), headers: response.headers };
      await demandAnswer(described, { method, path, ...answer });
      return answer;
    },
    run: async (name, shard = (uid) => queueShardId(uid, { topic: 'orders', brokerName: 'memory', queueId: 0 })) => {
      const subject = await connector(name);
      await runInvocation(host, anOffer(subject, shard(subject.uid)), { limitMs: LIMIT_MS, owner: 'owner' });
    },
  };
}

export function bodyOf({ headers }: Response, text: string): unknown {
  if (text === '') return null;
  return headers.get('content-type') === 'application/json' ? JSON.parse(text) : text;
}

/** The application of a host, of which nobody else is told. */
export function anApp(host: TestHost, deps: Partial<AppDeps> = {}): ReturnType<typeof newApp> {
  return newApp({
    ...host,
    scheduler: aFollower(),
    history: { unwritten: () => [] },
    metricsText: async () => partsOf('up ', '1\n'),
    loggers: new LogLevels({ root: 'INFO', clock: host.clock }),
    plugins: allPlugins,
    skewMaxMs: host.settings.skewMaxMs,
    known: new KnownConnectors({ ...host, skewMaxMs: host.settings.skewMaxMs, ...deps }),
    workerId: WORKER,
    commit: 'abc',
    access: { keys: [], takesBasic: true },
    ...deps,
  });
}

/** Metrics as a scraper gets them, in parts. */
async function* partsOf(...parts: readonly string[]): AsyncGenerator<string> {
  yield* parts;
}

/** Otherwise its clock would go on for ever. */
function scheduled(host: TestHost): Pick<AppDeps, 'scheduler' | 'history'> {
  const { scheduler, history } = aScheduler(host);
  onTestFinished(() => scheduler.stop());
  return { scheduler, history };
}

/** A scheduler that does not lead, and does nothing. */
function aFollower(fields: Partial<AppDeps['scheduler']> = {}): AppDeps['scheduler'] {
  const { signal: stopping } = new AbortController();
  return {
    leads: false,
    stopping,
    events: new Events(new RunningClock()),
    why: () => [],
    trigger: async () => undefined,
    connectorChanged: () => undefined,
    ...fields,
  };
}

function requestInit(method: string, { body, headers = {} }: RequestParts): RequestInit {
  if (body === undefined) return { method, headers };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method, headers: { 'content-type': 'application/json', ...headers }, body: text };
}
