/** Calls the HTTP API; what it refuses becomes an error that a person can act on. */
import { CliError } from './cli-error.ts';

const TIMEOUT_MS = 30_000;

export class ApiClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  async put(path: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new CliError(`no answer from ${this.#url}: ${reasonOf(error)}`, {
        exitCode: 3,
        next: 'start it with `sortie start`, or say where it is with --url',
      });
    }
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok) return { status: response.status, body: answer };
    throw new CliError(messageIn(answer) ?? `HTTP ${response.status} from ${this.#url}${path}`, {
      exitCode: response.status >= 500 ? 1 : 2,
      next: response.status >= 500 ? 'look into the log of the server' : 'correct what is named, and apply it again',
    });
  }
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
