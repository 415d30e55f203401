/** Puts the settings of `sortie start` together: a flag before the environment, that before the file, and that before the default. */
import { CliError } from './cli-error.ts';
import type { AllGiven } from './worker-file.ts';
import { flagOf, variableOf, type WorkerKey, WorkerSettings, workerKeys } from './worker-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The file, where no flag names one. */
const CONFIG_VARIABLE = 'SORTIE_CONFIG';

/** @throws {CliError} with everything that is wrong, each where it was said. */
export async function readWorkerSettings({
  flags,
  config,
  environment,
}: {
  /** Those that were given. */
  readonly flags: ReadonlyMap<WorkerKey, string>;
  /** A file that a flag named. */
  readonly config: string | undefined;
  readonly environment: Environment;
}): Promise<WorkerSettings> {
  const file = config ?? setIn(environment, CONFIG_VARIABLE);
  const given = new Map([...(file === undefined ? [] : await inFile(file)), ...inEnvironment(environment), ...inFlags(flags)]);
  const parsed = WorkerSettings.safeParse(Object.fromEntries([...given].map(([key, { text }]) => [key, text])));
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${given.get(path[0] as WorkerKey)?.where} ${message}`);
  throw new CliError(wrong.join('\n'), { exitCode: 2, next: 'correct what is named; `sortie start --help` lists the settings' });
}

/** Parsers are loaded for a file alone: most starts have none. */
async function inFile(file: string): Promise<AllGiven> {
  const { readWorkerFile } = await import('./worker-file.ts');
  return readWorkerFile(file);
}

function inFlags(flags: ReadonlyMap<WorkerKey, string>): AllGiven {
  return new Map([...flags].map(([key, text]) => [key, { text, where: flagOf(key) }]));
}

function inEnvironment(environment: Environment): AllGiven {
  const given = workerKeys.map((key) => {
    const name = variableOf(key);
    const text = setIn(environment, name);
    return text === undefined || isServiceLink(key, text) ? null : ([key, { text, where: name }] as const);
  });
  return new Map(given.filter((entry) => entry !== null));
}

/** Whoever composes environments writes an empty text for what is not set. */
function setIn(environment: Environment, name: string): string | undefined {
  const text = environment[name];
  return text === '' ? undefined : text;
}

/** For a service named `sortie`, Kubernetes sets SORTIE_PORT=tcp://10.0.0.1:8083. https://kubernetes.io/docs/concepts/services-networking/service/ */
function isServiceLink(key: WorkerKey, text: string): boolean {
  return key === 'port' && /^(?:tcp|udp):\/\//.test(text);
}
