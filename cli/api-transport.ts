/** Asks the HTTP API; what it refuses becomes an error that a person can act on. */
import { CliError } from './cli-error.ts';
import type { Shell } from './shell.ts';

const TIMEOUT_MS = 30_000;

interface Advice {
  readonly exitCode: 1 | 2 | 3;
  readonly next: string;
}

/** What helps, by the status of an answer; others of 400 and more are the client's, of 500 and more the server's. */
const ADVICE: Readonly<Record<number, Advice>> = {
  401: { exitCode: 2, next: 'set SORTIE_API_KEY to a key that this server knows' },
  403: { exitCode: 2, next: 'set SORTIE_API_KEY to a key that may do it, or --url to the address that is named' },
  404: {
    exitCode: 2,
    next: '`sortie list` shows which connectors there are, `sortie topics` which topics, `sortie plugins` which plugins',
  },
  409: { exitCode: 1, next: 'do what it says, or run the command again' },
  503: { exitCode: 3, next: 'look at what is named, and run the command again' },
  504: { exitCode: 3, next: 'look at what is named, and run the command again' },
};
const REFUSED: Advice = { exitCode: 2, next: 'correct what is named, and run the command again' };
const BROKEN: Advice = { exitCode: 1, next: 'look into the log of the server' };

export interface Server {
  readonly url: string;
  /** That it is shown, where it demands one. */
  readonly key?: string | undefined;
}

export class ApiTransport {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #shell: Pick<Shell, 'fetch'>;

  constructor({ url, key }: Server, shell: Pick<Shell, 'fetch'>) {
    if (!isHttp(url)) {
      throw new CliError(`${url} is no address of an HTTP API`, {
        exitCode: 2,
        next: `say where Sortie is with --url or SORTIE_URL, such as http://127.0.0.1:8083`,
      });
    }
    this.#url = url.replace(/\/+$/, '');
    this.#key = key;
    this.#shell = shell;
  }

  /**
   * `null` for an answer without a body. What comes back is what the OpenAPI document says.
   *
   * @throws {CliError}
   */
  async ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const { response, text } = await this.#answer(path, {
      method,
      headers: {
        ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = this.#parsed(text);
    if (response.ok) return answer as Answer;
    const advice = ADVICE[response.status] ?? (response.status >= 500 ? BROKEN : REFUSED);
    throw new CliError(messageIn(answer) ?? `HTTP ${response.status} from ${this.#url}${path}`, advice);
  }

  async #answer(path: string, init: RequestInit): Promise<{ readonly response: Response; readonly text: string }> {
    try {
      const response = await this.#shell.fetch(`${this.#url}${path}`, init);
      return { response, text: await response.text() };
    } catch (error) {
      throw new CliError(`no answer from ${this.#url}: ${reasonOf(error)}`, {
        exitCode: 3,
        next: 'start it with `sortie start`, or say where it is with --url or SORTIE_URL',
      });
    }
  }

  #parsed(text: string): unknown {
    if (text === '') return null;
    try {
      return JSON.parse(text, asWritten as Parameters<typeof JSON.parse>[1]);
    } catch {
      const next = 'say where Sortie is with --url or SORTIE_URL';
      throw new CliError(`what answers at ${this.#url} is not Sortie: it answers no JSON`, { exitCode: 3, next });
    }
  }
}

interface RawJson {
  rawJSON(text: string): object;
}

/** Numbers of records that no double holds are shown, and printed as JSON, with all of their digits. */
function asWritten(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  return (JSON as unknown as RawJson).rawJSON(source);
}

function messageIn(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null || !('message' in answer)) return null;
  return typeof answer.message === 'string' ? answer.message : null;
}

/** Fetch says what happened in the cause of its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function isHttp(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '');
}
