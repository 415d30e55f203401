import type { SecretAnswer, SecretReference } from '../../core/ports.ts';

/** What of an environment connectors may name: `DB_PASSWORD` allows that variable, `DB_*` all that begin with `DB_`. */
export function isVariableAllowed(name: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

/** `${env:NAME}`: a variable, as it was when the process was started. */
export class EnvSecrets {
  readonly #allowed: readonly string[];
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(allowed: readonly string[], environment: Readonly<Record<string, string | undefined>>) {
    this.#allowed = allowed;
    this.#environment = environment;
  }

  async read({ path, key }: SecretReference): Promise<SecretAnswer> {
    if (path !== '') return { missing: 'an environment variable has no path' };
    if (!isVariableAllowed(key, this.#allowed)) return { refused: `the environment variable ${key} is not allowed` };
    const value = Object.hasOwn(this.#environment, key) ? this.#environment[key] : undefined;
    return value === undefined ? { missing: `the environment variable ${key} is not set` } : { value };
  }
}
