/** `sortie pause`, `resume`, `stop`, `restart` and `delete`, of connectors by name or by pattern. */
import { type Command, Option } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { demandYes, doEach } from '../bulk.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { namedConnectors } from '../connector-names.ts';

interface RestartOptions {
  readonly onlyFailed?: boolean;
  readonly includeTasks?: boolean;
}

export function addStateCommands(sortie: Command, program: Program): void {
  const pairs = [
    ['pause', 'paused', 'pauses connectors: nothing new starts until they are resumed'],
    ['resume', 'resumed', 'lets connectors go on after a pause or stop'],
    ['stop', 'stopped', 'stops connectors: as a pause, and their offsets may be changed'],
  ] as const;
  for (const [verb, result, description] of pairs) {
    addClientCommand(sortie, program, {
      usage: `${verb} <name...>`,
      description: `${description}; takes patterns such as 'shop-*'`,
      run: (session, names) => doToEach(session, names, result, (api, name) => api.setState(name, verb)),
    });
  }
  addClientCommand<RestartOptions>(sortie, program, {
    usage: 'restart <name...>',
    description: 'restarts connectors that have failed; alone, or with their tasks',
    options: [new Option('--include-tasks', 'their tasks, too'), new Option('--only-failed', 'nothing that has not failed')],
    run: (session, names, { includeTasks = false, onlyFailed = false }) =>
      doToEach(session, names, 'restarted', (api, name) => api.restart(name, { includeTasks, onlyFailed })),
  });
  addClientCommand<{ readonly yes?: boolean }>(sortie, program, {
    usage: 'delete <name...>',
    description: 'deletes connectors with all their positions',
    options: [new Option('--yes', 'also those that a pattern matches')],
    run: async (session, names, { yes = false }) => {
      await demandYes(session, names, { yes, what: 'delete' });
      return doToEach(session, names, 'deleted', (api, name) => api.remove(name));
    },
  });
}

async function doToEach(
  session: Session,
  named: readonly string[],
  result: string,
  act: (api: ApiClient, name: string) => Promise<unknown>,
): Promise<ExitCode> {
  const { api } = session;
  const names = await namedConnectors(api, named);
  return doEach(
    session,
    names.map((name) => ({ name, result, act: () => act(api, name) })),
  );
}
