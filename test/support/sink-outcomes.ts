/** What operators see of a sink that `sortie start` runs: its files, its status, its shards. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SortieProcess } from './sortie-process.ts';

/** In `files`, each value as it is. */
export const FILES = { 'connector.class': 'file-sink', directory: 'files', 'value.converter': 'bytes' };

interface SeenShard {
  readonly brokerName: string;
  readonly queueId: number;
  readonly state: string;
  readonly code: string | null;
  readonly position: string | null;
}

interface SeenShards {
  readonly backlogRecords: number | null;
  readonly shards: readonly SeenShard[];
}

export function linesBelow(folder: string): readonly string[] {
  return globSync('**/*.jsonl', { cwd: folder }).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'),
  );
}

/** Ascending. A line is a number, or an object with one as its `id`. */
export function numbersBelow(folder: string): readonly number[] {
  const values = linesBelow(folder).map((line) => JSON.parse(line) as number | { readonly id: number });
  return values.map((value) => (typeof value === 'number' ? value : value.id)).sort((a, b) => a - b);
}

export async function statusOf({ url }: SortieProcess, name: string): Promise<string> {
  return (await fetch(`${url}/connectors/${name}/status`)).text();
}

export async function shardsOf({ url }: SortieProcess, name: string): Promise<SeenShards> {
  return (await fetch(`${url}/sortie/v1/connectors/${name}/shards`)).json() as Promise<SeenShards>;
}

/** `broker/queue state` of each. */
export async function statesOf(sortie: SortieProcess, name: string): Promise<readonly string[]> {
  const { shards } = await shardsOf(sortie, name);
  return shards.map(({ brokerName, queueId, state }) => `${brokerName}/${queueId} ${state}`).sort();
}
