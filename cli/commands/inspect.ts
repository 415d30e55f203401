/** `sortie list` and `status`: which connectors there are, and how they are. */
import type { Command } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { CliError } from '../cli-error.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { namedConnectors } from '../connector-names.ts';
import { type Column, coloured, plain, stateColour, table } from '../output.ts';
import type { Shell } from '../shell.ts';

type Status = Entity<'ConnectorStateInfo'>;

export function addInspectCommands(sortie: Command, program: Program): void {
  addClientCommand(sortie, program, {
    usage: 'list [name...]',
    description: "lists connectors: all, or those of names and patterns such as 'shop-*'",
    run: list,
  });
  addClientCommand(sortie, program, {
    usage: 'status <name...>',
    description: 'shows connectors with their tasks, and what is wrong with them',
    run: status,
  });
}

interface Listed {
  readonly name: string;
  readonly type: Status['type'];
  readonly plugin: string | null;
  readonly state: Status['connector']['state'];
  /** How many there are in each state. */
  readonly tasks: Readonly<Record<string, number>>;
}

const LIST: readonly Column<Listed>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'TYPE', text: ({ type }) => type },
  { title: 'PLUGIN', text: ({ plugin }) => plugin ?? '' },
  { title: 'STATE', text: ({ state }) => state, colour: ({ state }) => stateColour(state) },
  {
    title: 'TASKS',
    text: ({ tasks }) =>
      Object.entries(tasks)
        .map(([state, count]) => `${count} ${state}`)
        .join(', ') || '-',
    colour: ({ tasks }) => ('FAILED' in tasks ? 'red' : null),
  },
];

async function list({ api, shell, show }: Session, named: readonly string[]): Promise<ExitCode> {
  const details = new Map(Object.entries(await api.details()));
  const names = named.length === 0 ? [...details.keys()] : await namedConnectors(api, named);
  const connectors = names.flatMap((name): Listed[] => {
    const found = details.get(name);
    if (found === undefined) throw noSuch(name);
    const {
      info,
      status: { type, connector, tasks },
    } = found;
    return [{ name, type, plugin: info?.config['connector.class'] ?? null, state: connector.state, tasks: byState(tasks) }];
  });
  show({ connectors }, () => (connectors.length === 0 ? 'no connectors\n' : table(connectors, LIST, shell)));
  return 0;
}

function noSuch(name: string): CliError {
  return new CliError(`there is no connector ${name}`, { exitCode: 2, next: '`sortie list` shows which there are' });
}

function byState(tasks: Status['tasks']): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of tasks) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

async function status({ api, shell, show }: Session, named: readonly string[]): Promise<ExitCode> {
  const connectors: Status[] = [];
  // One by one: who asks for many wants to read them.
  for (const name of await namedConnectors(api, named)) connectors.push(await api.status(name));
  show({ connectors }, () => connectors.map((each) => statusText(each, shell)).join('\n'));
  return 0;
}

const TASKS: readonly Column<Status['tasks'][number]>[] = [
  { title: '  TASK', text: ({ id }) => String(id), isNumber: true },
  { title: 'STATE', text: ({ state }) => state, colour: ({ state }) => stateColour(state) },
];

function statusText({ name, type, connector, tasks }: Status, { terminal }: Pick<Shell, 'terminal'>): string {
  const head = `${plain(name)}: ${coloured(connector.state, stateColour(connector.state), terminal)} (${type})\n`;
  const traces = [
    ...indented(connector.trace),
    ...tasks.flatMap(({ id, trace }) => (trace === undefined ? [] : [`  task ${id}:`, ...indented(trace, '    ')])),
  ];
  return [head, tasks.length === 0 ? '' : table(tasks, TASKS, { terminal }), ...traces.map((line) => `${line}\n`)].join('');
}

function indented(trace: string | undefined, by = '  '): readonly string[] {
  return trace === undefined
    ? []
    : plain(trace)
        .split('\n')
        .map((line) => by + line);
}
