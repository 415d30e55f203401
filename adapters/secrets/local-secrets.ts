/** The secrets of one machine: its environment and its files, as far as its operator allows. */
import type { SecretAnswer, SecretReference, Secrets } from '../../core/ports.ts';
import { EnvSecrets, isVariableAllowed } from './env-secrets.ts';
import { FileSecrets } from './file-secrets.ts';

/** JSON. It holds secrets: it goes to the threads and processes that run invocations, and nowhere else. */
export interface LocalSecretsSettings {
  /** Names of variables, or their beginnings with `*` behind. */
  readonly env: readonly string[];
  /** Those variables that are allowed and set. */
  readonly variables: Readonly<Record<string, string>>;
  /** Folders whose files may be named, and all folders in them. */
  readonly folders: readonly string[];
}

export const NO_SECRETS: LocalSecretsSettings = { env: [], variables: {}, folders: [] };

export function localSecretsSettings({
  env,
  folders,
  environment,
}: Pick<LocalSecretsSettings, 'env' | 'folders'> & {
  readonly environment: Readonly<Record<string, string | undefined>>;
}): LocalSecretsSettings {
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && isVariableAllowed(name, env) ? [[name, value]] : [],
  );
  return { env, folders, variables: Object.fromEntries(variables) };
}

export class LocalSecrets implements Secrets {
  readonly #env: EnvSecrets;
  readonly #files: FileSecrets;

  constructor({ env, variables, folders }: LocalSecretsSettings) {
    this.#env = new EnvSecrets(env, variables);
    this.#files = new FileSecrets(folders);
  }

  async resolve(references: readonly SecretReference[]): Promise<readonly SecretAnswer[]> {
    const files = await this.#propertiesFiles(references);
    return Promise.all(
      references.map(async (reference) => {
        const { provider, path, key } = reference;
        if (provider === 'env') return this.#env.read(reference);
        if (provider === 'dir') return this.#files.readFile(path, key);
        return files.get(path)?.get(key) ?? { missing: `there is no provider ${provider} here` };
      }),
    );
  }

  /** Each read once, whatever number of its keys is named. */
  async #propertiesFiles(
    references: readonly SecretReference[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, SecretAnswer>>> {
    const named = Map.groupBy(
      references.filter(({ provider }) => provider === 'file'),
      ({ path }) => path,
    );
    const read = [...named].map(async ([path, those]) => {
      const keys = those.map(({ key }) => key);
      const answers = await this.#files.readProperties(path, keys);
      return [path, new Map(keys.map((key, index) => [key, answers[index] as SecretAnswer]))] as const;
    });
    return new Map(await Promise.all(read));
  }
}
