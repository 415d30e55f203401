/** `sortie why`: the planner's reasons, in its own words. */
import type { Command } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { namedConnectors } from '../connector-names.ts';
import { type Column, coloured, plain, stateColour, table } from '../output.ts';
import { shardName } from '../shard-name.ts';
import type { Shell } from '../shell.ts';

type Reasons = Entity<'Reasons'>;

export function addWhyCommand(sortie: Command, program: Program): void {
  addClientCommand(sortie, program, {
    usage: 'why <name...>',
    description: 'says why each shard of connectors gets an invocation, or gets none',
    run: why,
  });
}

async function why({ api, shell, show }: Session, named: readonly string[]): Promise<ExitCode> {
  const connectors: Reasons[] = [];
  // One by one: who asks for many wants to read them.
  for (const name of await namedConnectors(api, named)) connectors.push(await api.why(name));
  show({ connectors }, () => connectors.map((each) => whyText(each, shell)).join('\n'));
  return 0;
}

const SHARDS: readonly Column<Reasons['shards'][number]>[] = [
  { title: '  SHARD', text: ({ shard }) => `  ${shardName(shard)}` },
  { title: 'REASON', text: ({ reason, withheld }) => [reason ?? '-', ...(withheld === null ? [] : [`(${withheld})`])].join(' ') },
  { title: 'SENT', text: ({ offers }) => String(offers ?? '?'), isNumber: true },
  { title: 'WHICH MEANS', text: ({ means, problem }) => (problem === null ? means : `${means} ${problem}`) },
];

function whyText(
  { connector, state, problem, leads, leader, missingTopics, shards }: Reasons,
  shell: Pick<Shell, 'terminal'>,
): string {
  const head = `${plain(connector)}: ${coloured(state, stateColour(state), shell.terminal)}\n`;
  const notes = [
    ...(problem === null ? [] : [`  its configuration cannot be used: ${plain(problem)}`]),
    ...missingTopics.map(({ topic, means }) => `  topic ${plain(topic)}: ${means}`),
    ...(leads ? [] : [`  as far as the store and the log tell; ${leaderText(leader)}`]),
  ];
  return [head, ...notes.map((note) => `${note}\n`), shards.length === 0 ? '' : table(shards, SHARDS, shell)].join('');
}

function leaderText(leader: Reasons['leader']): string {
  return leader === null ? 'nobody is known to plan' : `the scheduler that plans is ${plain(leader.owner)}`;
}
