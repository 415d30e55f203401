/**
 * A token by OAuth2's grant of client credentials (RFC 6749, 4.4): fetched when first needed, kept until shortly before it ends,
 * and fetched anew when it is refused. Whoever needs one meanwhile waits for the same request.
 */
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { PluginContext } from '../../api/context.ts';
import { type Authorization, basic } from './authorization.ts';
import { noAnswer } from './no-answer.ts';
import { readAnswer } from './read-answer.ts';
import { retryAfterMs } from './retry-after.ts';

export interface OAuth2Client {
  readonly url: { readonly href: string; readonly origin: string };
  readonly id: string;
  readonly secret: string;
  readonly mode: 'header' | 'url';
  readonly scope: string | null;
  /** Of the answer, where the token is. */
  readonly property: string;
}

interface Token {
  /** The value of the header. */
  readonly value: string;
  /** By the wall clock, which goes on while a host is frozen. */
  readonly goodUntilMs: number;
}

/** Tokens are some thousand characters long at most. */
const ANSWER_BYTES_MAX = 65_536;

/** So long before its end a token is not used any more, so that it is still good when a request arrives; of a short one, half its time. */
const EARLY_MS = 30_000;

export class OAuth2Token implements Authorization {
  readonly #client: OAuth2Client;
  readonly #context: Pick<PluginContext, 'clock' | 'fetch'>;
  #token: Token | null = null;
  #fetching: Promise<Token> | null = null;

  constructor(client: OAuth2Client, context: Pick<PluginContext, 'clock' | 'fetch'>) {
    this.#client = client;
    this.#context = context;
  }

  async value(signal: AbortSignal): Promise<string> {
    if (this.#token !== null && this.#context.clock.nowMs() < this.#token.goodUntilMs) return this.#token.value;
    this.#fetching ??= this.#fetch(signal).finally(() => {
      this.#fetching = null;
    });
    this.#token = await this.#fetching;
    return this.#token.value;
  }

  /** One that was refused while another was fetched already says nothing of that. */
  forget(value: string | null): boolean {
    if (this.#token?.value === value) this.#token = null;
    return true;
  }

  secrets(): readonly string[] {
    const { secret } = this.#client;
    return this.#token === null ? [secret] : [secret, this.#token.value.slice('Bearer '.length)];
  }

  async #fetch(signal: AbortSignal): Promise<Token> {
    const { url, property } = this.#client;
    const { clock, fetch } = this.#context;
    const askedAtMs = clock.nowMs();
    const answered = await fetch(url.href, { ...this.#request(), signal, redirect: 'manual' })
      .then(async (response) => ({ response, answer: await readAnswer(response, { bytesMax: ANSWER_BYTES_MAX }) }))
      .catch((error: unknown) => {
        throw noAnswer(error, { from: `the token endpoint ${url.origin}`, isTimeOver: signal.aborted });
      });
    const { response, answer } = answered;
    if (!response.ok) throw refusal(response, { origin: url.origin, nowMs: clock.nowMs() });
    const { token, expiresInMs } = readToken(answer.text, property);
    if (token === null) throw useless(url.origin, property);
    const early = Math.min(EARLY_MS, expiresInMs / 2);
    return { value: `Bearer ${token}`, goodUntilMs: askedAtMs + expiresInMs - early };
  }

  #request(): RequestInit {
    const { id, secret, mode, scope } = this.#client;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (scope !== null) form.set('scope', scope);
    if (mode === 'url') {
      form.set('client_id', id);
      form.set('client_secret', secret);
    }
    return {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        ...(mode === 'header' ? { authorization: basic(id, secret) } : {}),
      },
      body: form.toString(),
    };
  }
}

/** Of a client that is refused nothing gets better by asking again. */
function refusal(
  { status, headers }: Response,
  { origin, nowMs }: { readonly origin: string; readonly nowMs: number },
): RetryableError | FatalTaskError {
  const what = `the token endpoint ${origin} answers with HTTP ${status}`;
  if (status === 429 || status === 408 || status >= 500) {
    return new RetryableError(what, {
      code: status === 429 ? 'target.throttled' : 'target.unavailable',
      retryAfterMs: retryAfterMs(headers.get('retry-after'), nowMs),
    });
  }
  return new FatalTaskError(`${what}: it gives no token to this client`, { code: 'sink.unauthorized', details: { status } });
}

/** Nothing of the answer is shown: it may hold a token all the same. */
function useless(origin: string, property: string): FatalTaskError {
  return new FatalTaskError(
    `the answer of the token endpoint ${origin} has no token under ${property}; next: look at oauth2.access.token.url and oauth2.response.token.property`,
    { code: 'sink.unauthorized' },
  );
}

function readToken(text: string, property: string): { readonly token: string | null; readonly expiresInMs: number } {
  const answer = parsed(text);
  const token = answer[property];
  const expiresInS = Number(answer['expires_in'] ?? Number.POSITIVE_INFINITY);
  return {
    // A token with anything else could become more than one header.
    token: typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : null,
    expiresInMs: expiresInS > 0 ? expiresInS * 1_000 : Number.POSITIVE_INFINITY,
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
