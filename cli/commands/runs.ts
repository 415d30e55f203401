/** `sortie run` and `runs`: starts what a connector has to do, and shows what its invocations did. */
import { type Command, Option } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { CliError } from '../cli-error.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { type Column, counted, duration, number, plain, relative, table } from '../output.ts';
import { shardName } from '../shard-name.ts';

type Progress = Entity<'RunProgress'>;
type Run = Entity<'RunPage'>['runs'][number];

/** The server answers by then, before a client gives up: what is not done is asked for again. */
const LONG_POLL_MS = 20_000;

interface RunOptions {
  readonly wait?: boolean;
  readonly upToNow?: boolean;
  readonly timeout?: string;
}

export function addRunCommands(sortie: Command, program: Program): void {
  addClientCommand<RunOptions>(sortie, program, {
    usage: 'run <name>',
    description: 'starts the work of a connector now',
    options: [
      new Option('--wait', 'until there is nothing more to move'),
      new Option('--up-to-now', 'with --wait: what comes from now on is not waited for'),
      new Option('--timeout <seconds>', 'with --wait: for so long at most'),
    ],
    run,
  });
  addClientCommand<{ readonly limit?: string }>(sortie, program, {
    usage: 'runs <name>',
    description: 'shows what the invocations of a connector did, the newest first',
    options: [new Option('--limit <count>', 'so many at most (default: 50)')],
    run: runs,
  });
}

async function run({ api, shell, show }: Session, [name = '']: readonly string[], options: RunOptions): Promise<ExitCode> {
  const { wait = false, upToNow = false } = options;
  const timeoutMs = timeoutOf(options);
  const query = { ...(wait ? { wait: 'drained' } : {}), ...(upToNow ? { upTo: 'now' } : {}) };
  const untilMs = shell.nowMs() + timeoutMs;
  let progress: Progress | undefined;
  do {
    const leftMs = Math.max(untilMs - shell.nowMs(), 0);
    progress = await api.startRun(name, { ...query, timeoutMs: String(Math.min(LONG_POLL_MS, leftMs)) }, progress);
  } while (wait && progress.state === 'moving' && shell.nowMs() < untilMs);
  if (!wait) {
    show(progress, () => `${name}: started\n`);
    return 0;
  }
  if (progress.state === 'drained') {
    // A sink's topics that are not there have no shards.
    const nothing =
      progress.shards.length > 0 ? '' : `; there is nothing yet that it could read, and \`sortie why ${name}\` says why`;
    show(progress, () => `${name}: drained${nothing}\n`);
    return 0;
  }
  const left = progress.shards.filter(({ state }) => state !== 'done').map(({ shard }) => shardName(shard));
  throw new CliError(
    progress.state === 'failed'
      ? `${name}: ${counted(left.length, 'shard')} failed: ${left.join(', ')}`
      : `${name} is not drained after ${options.timeout} seconds; at work: ${left.join(', ')}`,
    { exitCode: 1, next: progress.state === 'failed' ? `sortie status ${name}` : `sortie why ${name}` },
  );
}

/** @throws {CliError} */
function timeoutOf({ timeout }: RunOptions): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  const seconds = Number(timeout);
  if (timeout.trim() !== '' && seconds >= 0) return Math.round(seconds * 1_000);
  throw new CliError(`--timeout is ${timeout}`, { exitCode: 2, next: 'name a number of seconds' });
}

async function runs(
  { api, shell, show }: Session,
  [name = '']: readonly string[],
  { limit }: { readonly limit?: string },
): Promise<ExitCode> {
  const page = await api.runs(name, limit === undefined ? {} : { limit });
  // The server adds what has just ended.
  const newest = page.runs.slice(0, limit === undefined ? undefined : Number(limit));
  const nowMs = shell.nowMs();
  const columns: readonly Column<Run>[] = [
    { title: 'ENDED', text: ({ endedAtMs }) => relative(endedAtMs, nowMs) },
    { title: 'SHARD', text: ({ shard }) => shardName(shard) },
    {
      title: 'OUTCOME',
      text: ({ outcome }) => outcome ?? '-',
      colour: ({ outcome }) => (outcome === 'failed' ? 'red' : outcome === 'fenced' ? 'yellow' : null),
    },
    { title: 'TOOK', text: ({ startedAtMs, endedAtMs }) => duration(endedAtMs - startedAtMs), isNumber: true },
    { title: 'READ', text: ({ counts }) => number(counts['read'] ?? 0), isNumber: true },
    { title: 'DELIVERED', text: ({ counts }) => number(counts['delivered'] ?? 0), isNumber: true },
    { title: 'ERROR', text: ({ error }) => (error === undefined ? '' : `${error.code}: ${error.message}`) },
  ];
  show({ name, runs: newest }, () =>
    newest.length === 0 ? `no invocation of ${plain(name)} moved anything yet\n` : table(newest, columns, shell),
  );
  return 0;
}
