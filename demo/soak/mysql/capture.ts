/** The connector that carries the tables' changes into topics, and how one sees that all of them have arrived. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogBroker } from '../../../core/ports.ts';
import { sortie } from '../../server.ts';
import type { Run } from './busy-tables.ts';
import { DATABASE } from './table-rows.ts';

/** Whom to connect to, and as whom: so that the server can tell which connections are the connector's. */
export interface Login {
  readonly port: number;
  readonly user: string;
}

const NAME = 'busy-cdc';

const LOOK_EVERY_MS = 200;

export async function applyCapture(
  folder: string,
  { login, prefix, url }: { readonly login: Login; readonly prefix: string; readonly url: string },
): Promise<void> {
  const file = `${NAME}.json`;
  writeFileSync(join(folder, file), JSON.stringify(connector(login, prefix)));
  await sortie(folder, ['apply', '-f', file, '--url', url]);
}

/** Whether all rows are read, and what was committed by now is in the topics, at most `withinMs` later. */
export async function hasDrained(
  broker: LogBroker,
  run: Run,
  { prefix, url, withinMs }: { readonly prefix: string; readonly url: string; readonly withinMs: number },
): Promise<boolean> {
  const untilMs = performance.now() + withinMs;
  if (!(await becomes(() => isRead(url), untilMs))) return false;
  await run(`INSERT INTO ${DATABASE}.probes VALUES (1)`);
  // Everything that was committed before a row is there as soon as that row is.
  return becomes(async () => {
    const queues = await broker.queues(`${prefix}-${DATABASE}-probes`);
    return (await broker.bounds(queues)).some((bounds) => bounds !== null && bounds.max > 0n);
  }, untilMs);
}

async function becomes(isSo: () => Promise<boolean>, untilMs: number): Promise<boolean> {
  for (; performance.now() < untilMs; await sleep(LOOK_EVERY_MS)) if (await isSo()) return true;
  return false;
}

/** Whether the checkpoint says nothing any more of tables that are being read. */
async function isRead(url: string): Promise<boolean> {
  const answer = (await (await fetch(`${url}/connectors/${NAME}/offsets`)).json()) as Offsets;
  return (
    answer.offsets.length > 0 &&
    answer.offsets.every(({ offset }) => offset !== null && offset.checkpoint['snapshot'] === undefined)
  );
}

interface Offsets {
  readonly offsets: readonly { readonly offset: { readonly checkpoint: Readonly<Record<string, unknown>> } | null }[];
}

function connector({ port, user }: Login, prefix: string) {
  return {
    name: NAME,
    config: {
      'connector.class': 'mysql-cdc-source',
      'database.hostname': '127.0.0.1',
      'database.port': String(port),
      'database.user': user,
      'database.include.list': DATABASE,
      'topic.prefix': prefix,
      'topic.delimiter': '-',
      'output.format': 'flat',
      'topic.creation.default.partitions': '2',
      'value.converter': 'json',
      'value.converter.schemas.enable': 'false',
      'key.converter': 'json',
      'key.converter.schemas.enable': 'false',
    },
  };
}
