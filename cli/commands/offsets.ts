/** `sortie offsets get`, `set` and `reset`: where connectors stand, and, while they are stopped, where they are to stand. */
import { type Command, Option } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { demandYes, doEach } from '../bulk.ts';
import { advising, CliError } from '../cli-error.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { namedConnectors } from '../connector-names.ts';
import { type Column, counted, table } from '../output.ts';

type PartitionOffset = Entity<'ConnectorOffsets'>['offsets'][number];
type Partition = PartitionOffset['partition'];

interface SetOptions {
  readonly to?: string;
  readonly checkpoint?: string;
  readonly topic?: string;
  readonly queue?: string;
  readonly broker?: string;
  readonly shard?: readonly string[];
}

export function addOffsetCommands(sortie: Command, program: Program): void {
  const offsets = sortie.command('offsets').description('shows and changes where connectors stand');
  addClientCommand(offsets, program, {
    usage: 'get <name>',
    description: 'shows where a connector stands: records below are finished',
    run: get,
  });
  addClientCommand<SetOptions>(offsets, program, {
    usage: 'set <name>',
    description: 'sets where a stopped connector goes on: all of its partitions, or those that are chosen',
    options: [
      new Option('--to <position>', 'an offset, earliest, latest, or an ISO 8601 time such as 2026-11-26T08:00:00Z'),
      new Option('--checkpoint <json>', "a source's own position, as get shows it").conflicts('to'),
      new Option('--topic <name>', 'only its queues'),
      new Option('--queue <id>', 'only queues of this number'),
      new Option('--broker <name>', 'only queues on this broker'),
      new Option('--shard <name...>', 'only this shard of a source, by its names'),
    ],
    run: set,
  });
  addClientCommand<{ readonly yes?: boolean }>(offsets, program, {
    usage: 'reset <name...>',
    description: 'sets stopped connectors to where new ones would start',
    options: [new Option('--yes', 'also those that a pattern matches')],
    run: reset,
  });
}

const PARTITIONS: readonly Column<PartitionOffset>[] = [
  { title: 'PARTITION', text: ({ partition }) => partitionName(partition) },
  { title: 'OFFSET', text: ({ offset }) => offsetText(offset), isNumber: true },
];

const SHARDS: readonly Column<PartitionOffset>[] = [
  { title: 'SHARD', text: ({ partition }) => partitionName(partition) },
  { title: 'CHECKPOINT', text: ({ offset }) => offsetText(offset) },
];

async function get({ api, shell, show }: Session, [name = '']: readonly string[]): Promise<ExitCode> {
  const { offsets } = await api.offsets(name);
  const columns = offsets.some(({ partition }) => 'shard' in partition) ? SHARDS : PARTITIONS;
  show({ name, offsets }, () => (offsets.length === 0 ? `${name} has read nothing yet\n` : table(offsets, columns, shell)));
  return 0;
}

/** Which positions there are, and who may take them, is the server's to say. */
async function set({ api, show }: Session, [name = '']: readonly string[], options: SetOptions): Promise<ExitCode> {
  const offset = wantedOffset(options);
  const partitions = await chosenPartitions(api, name, options);
  const wanted = partitions.map((partition) => ({ partition, offset }));
  await advising(nextFor(name), () => api.setOffsets(name, wanted));
  const { offsets } = await api.offsets(name);
  show({ name, offsets }, () => `${name}: ${counted(partitions.length, 'partition')} set\n`);
  return 0;
}

async function reset(session: Session, named: readonly string[], { yes = false }: { readonly yes?: boolean }): Promise<ExitCode> {
  const { api } = session;
  await demandYes(session, named, { yes, what: 'reset the offsets of' });
  const names = await namedConnectors(api, named);
  return doEach(
    session,
    names.map((name) => ({ name, result: 'reset', act: () => advising(nextFor(name), () => api.resetOffsets(name)) })),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

function nextFor(name: string): string {
  return `correct what is named; \`sortie offsets get ${name}\` shows its partitions, \`sortie stop ${name}\` stops it`;
}

function wantedOffset({ to, checkpoint }: SetOptions): unknown {
  if (checkpoint !== undefined) return { checkpoint: parsed(checkpoint) };
  if (to === undefined) throw misuse('where to is not said', 'add --to with an offset, earliest, latest or a time');
  // As text: a number would lose digits.
  return /^-?\d+$/.test(to) ? { kafka_offset: to } : { start_position: to };
}

function parsed(checkpoint: string): unknown {
  try {
    return JSON.parse(checkpoint);
  } catch {
    throw misuse('--checkpoint is not JSON', 'copy one that `sortie offsets get --json` shows');
  }
}

/** Those the connector has that fit. One that is named in full may be one that it has not read yet. */
async function chosenPartitions(
  api: Session['api'],
  name: string,
  { topic, queue, broker, shard }: SetOptions,
): Promise<readonly Partition[]> {
  const { offsets } = await api.offsets(name);
  const chosen = offsets
    .map(({ partition }) => partition)
    .filter(
      (partition) =>
        fits(partition['kafka_topic'], topic) &&
        fits(partition['kafka_partition'], queue) &&
        fits(partition['broker_name'], broker) &&
        (shard === undefined || JSON.stringify(partition['shard']) === JSON.stringify(shard)),
    );
  if (chosen.length > 0) return chosen;
  if (shard !== undefined) return [{ shard }];
  if (topic !== undefined && queue !== undefined) {
    return [{ kafka_topic: topic, kafka_partition: queue, ...(broker === undefined ? {} : { broker_name: broker }) }];
  }
  throw misuse(
    offsets.length === 0 ? `${name} has no partitions yet` : `${name} has no such partition`,
    offsets.length === 0 ? 'name one with --topic and --queue' : `\`sortie offsets get ${name}\` shows those that it has`,
  );
}

function fits(value: unknown, wanted: string | undefined): boolean {
  return wanted === undefined || String(value) === wanted;
}

function misuse(message: string, next: string): CliError {
  return new CliError(message, { exitCode: 2, next });
}

function partitionName({ shard, kafka_topic: topic, kafka_partition: queue, broker_name: broker }: Partition): string {
  return Array.isArray(shard) ? shard.join('/') : `${topic}/${broker}/${queue}`;
}

function offsetText(offset: PartitionOffset['offset']): string {
  if (offset === null) return '-';
  const { kafka_offset: at, checkpoint } = offset;
  return at === undefined ? JSON.stringify(checkpoint) : String(at);
}
