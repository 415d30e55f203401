/**
 * Names of topics and groups as the servers know them: hosted clusters put the instance's name before all of its own, as
 * `instance%topic`.
 */
const SEPARATOR = '%';

export class Names {
  readonly #prefix: string;

  constructor(namespace: string | undefined) {
    this.#prefix = namespace === undefined ? '' : `${namespace}${SEPARATOR}`;
  }

  onWire(name: string): string {
    return `${this.#prefix}${name}`;
  }

  /** `null`: it belongs to somebody else. */
  fromWire(name: string): string | null {
    return name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : null;
  }
}
