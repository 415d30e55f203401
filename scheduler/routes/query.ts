/** The query of a request, as tolerant as clients are sloppy: `expand[]=info` is `expand=info`, and `True` is true. */
export class Query {
  readonly #params: URLSearchParams;

  constructor(params: URLSearchParams) {
    this.#params = params;
  }

  has(name: string): boolean {
    return this.#params.has(name) || this.#params.has(`${name}[]`);
  }

  all(name: string): readonly string[] {
    return [...this.#params.getAll(name), ...this.#params.getAll(`${name}[]`)];
  }

  first(name: string): string | undefined {
    return this.all(name)[0];
  }

  /** As Java reads a boolean: anything but `true`, in whatever case, is false. */
  flag(name: string, { absent = false }: { readonly absent?: boolean } = {}): boolean {
    const value = this.first(name);
    return value === undefined ? absent : value.toLowerCase() === 'true';
  }
}
