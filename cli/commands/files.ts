/** `sortie validate`, `plan` and `apply`: connectors as they are kept in files. */
import { type Command, Option } from 'commander';
import { doEach } from '../bulk.ts';
import { CliError } from '../cli-error.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { type Complaint, complaintText } from '../complaint.ts';
import { readConnectorFiles } from '../connector-files.ts';
import { coloured, counted, plain } from '../output.ts';
import {
  type KeyChange,
  type Plan,
  type PlannedConnector,
  planOf,
  type Violation,
  violationsOf,
  violationText,
} from '../plan.ts';
import type { Terminal } from '../shell.ts';

interface FileOption {
  readonly file: string;
}

export function addFileCommands(sortie: Command, program: Program): void {
  const file = new Option(
    '-f, --file <path>',
    'a JSON, YAML or .properties file of connectors, or a folder of such files',
  ).makeOptionMandatory();
  addClientCommand<FileOption>(sortie, program, {
    usage: 'validate',
    description: 'says everything that is wrong with the connectors of files, by key; changes nothing',
    options: [file],
    run: validate,
  });
  addClientCommand<FileOption>(sortie, program, {
    usage: 'plan',
    description: 'shows what apply would do, and gives that a name',
    options: [file],
    run: plan,
  });
  addClientCommand<FileOption & { readonly plan?: string }>(sortie, program, {
    usage: 'apply',
    description: 'creates or changes the connectors of files, and waits for nothing; applied again it changes nothing',
    options: [file, new Option('--plan <id>', 'only if what is to be done is still what this plan says')],
    run: apply,
  });
}

async function validate({ api, shell, show }: Session, _: readonly string[], { file }: FileOption): Promise<ExitCode> {
  const connectors = readConnectorFiles(file);
  const violations: Violation[] = [];
  // One by one: nobody waits for this with a stop-watch, and a server has other things to do.
  for (const connector of connectors) violations.push(...(await violationsOf(api, connector)));
  const wrong = new Set(violations.map(({ name }) => name));
  const valid = connectors.map(({ name }) => name).filter((name) => !wrong.has(name));
  show({ valid, violations }, () => `${counted(valid.length, 'valid connector')}\n`);
  if (violations.length === 0) return 0;
  shell.complain(complaintText(complaintAbout(violations)));
  return 2;
}

async function plan({ api, shell, show }: Session, _: readonly string[], { file }: FileOption): Promise<ExitCode> {
  const { id, connectors, violations } = await planOf(api, readConnectorFiles(file));
  demandValid(violations);
  show({ plan: id, connectors }, () => planText({ id, connectors }, { file, terminal: shell.terminal }));
  return 0;
}

/** Files are read and validated before the first of them is applied, so that a wrong one changes nothing. */
async function apply(
  session: Session,
  _: readonly string[],
  { file, plan: wanted }: FileOption & { readonly plan?: string },
): Promise<ExitCode> {
  const { api } = session;
  const files = readConnectorFiles(file);
  const { id, connectors, violations } = await planOf(api, files);
  if (wanted !== undefined && wanted !== id) {
    throw new CliError(`the plan ${wanted} is stale: since then a file or a connector was changed, and nothing was applied`, {
      exitCode: 1,
      next: `look at what is to be done now: sortie plan -f ${file}`,
    });
  }
  demandValid(violations);
  const changes = new Map(connectors.map(({ name, change }) => [name, change]));
  return doEach(
    session,
    files.map(({ name, config }) => {
      const change = changes.get(name);
      if (change === 'unchanged') return { name, result: 'unchanged', act: async () => null };
      return { name, result: change === 'create' ? 'created' : 'configured', act: () => api.configure(name, config) };
    }),
  );
}

/** @throws {CliError} */
function demandValid(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const { message, ...advice } = complaintAbout(violations);
  throw new CliError(message, advice);
}

function complaintAbout(violations: readonly Violation[]): Complaint {
  const next = 'correct each key that is named; `sortie plugins NAME` shows the keys of a plugin';
  return { message: violations.map(violationText).join('\n'), next, exitCode: 2 };
}

const MARKS = { create: '+', change: '~', unchanged: '=' } as const;
const COLOURS = { create: 'green', change: 'yellow', unchanged: 'grey' } as const;

function planText(
  { id, connectors }: Omit<Plan, 'violations'>,
  { file, terminal }: { readonly file: string; readonly terminal: Terminal | null },
): string {
  const count = (change: PlannedConnector['change']) => connectors.filter((connector) => connector.change === change).length;
  const lines = connectors.flatMap(({ name, file: from, change, keys }) => [
    coloured(`${MARKS[change]} ${plain(name)}: ${change} (${plain(from)})`, COLOURS[change], terminal),
    ...keys.map((key) => `    ${keyText(key)}`),
  ]);
  const toDo = count('create') + count('change');
  const sum = `${count('create')} to create, ${count('change')} to change, ${count('unchanged')} unchanged`;
  const next = toDo === 0 ? 'nothing to do' : `to do exactly this: sortie apply -f ${file} --plan ${id}`;
  return [...lines, '', `${sum}; ${next}`, ''].join('\n');
}

function keyText({ key, from, to }: KeyChange): string {
  if (from === null) return plain(`+ ${key}: ${to}`);
  return plain(to === null ? `- ${key}: ${from}` : `~ ${key}: ${from} -> ${to}`);
}
