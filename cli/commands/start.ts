/** `sortie start`: its flags are the worker settings, and it serves until the process is told to end. */
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { type Command, Option } from 'commander';
import { keyFacts } from '../../core/config/keys.ts';
import { readWorkerSettings } from '../read-worker-settings.ts';
import { flagOf, type WorkerKey, WorkerSettings, workerKeys } from '../worker-settings.ts';

type FlagValues = Readonly<Record<string, string | boolean | undefined>>;

export function addStart(sortie: Command): void {
  const command = sortie
    .command('start')
    .description('runs scheduler, invocations and the HTTP API on this machine, with everything in one folder')
    .addOption(new Option('--config <file>', 'JSON, YAML or .properties file of settings; also SORTIE_CONFIG'));
  const options = workerKeys.map((key) => ({ key, option: optionOf(key) }));
  for (const { option } of options) command.addOption(option);
  command.action(async (values: FlagValues) => {
    const flags = options.flatMap(({ key, option }) => {
      const value = values[option.attributeName()];
      return value === undefined ? [] : [[key, String(value)] as const];
    });
    const config = values['config'];
    await run(
      await readWorkerSettings({ flags: new Map(flags), config: config as string | undefined, environment: process.env }),
    );
  });
}

/** Without a value, a flag for what is true or false means true. */
function optionOf(key: WorkerKey): Option {
  const type = WorkerSettings.shape[key];
  const value = type.parse(undefined);
  const standard = String(value) === '' ? '' : ` (default: ${String(value)})`;
  const words = keyFacts(type).words.join('|');
  const takes = typeof value === 'boolean' ? `[${words}]` : `<${words || 'value'}>`;
  return new Option(`${flagOf(key)} ${takes}`, `${type.description ?? ''}${standard}`);
}

/** Loaded when asked for: the other commands need nothing of it. */
async function run(settings: WorkerSettings): Promise<void> {
  const { start } = await import('../start.ts');
  const { url, stop } = await start(settings);
  const { json, data } = settings;
  process.stdout.write(json ? `${JSON.stringify({ url, data })}\n` : `Sortie is ready at ${url}, with its data in ${data}\n`);
  // For the next start, should this process be killed.
  flushCompileCache();
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await stop();
}
