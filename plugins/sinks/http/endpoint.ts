/** Sends requests with their credentials, and says what became of each. */
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { PluginContext } from '../../api/context.ts';
import type { Authorization } from './authorization.ts';
import type { HttpSinkSettings } from './http-config.ts';
import { noAnswer } from './no-answer.ts';
import { type AnswerText, readAnswer } from './read-answer.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Judge, Verdict } from './verdict.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** Read of every answer, so that its connection can be used again: far more than an endpoint says of a record. */
const ANSWER_BYTES_MAX = 65_536;

/** For each record of whose result an answer may tell: a status and a sentence. */
const RESULT_BYTES_MAX = 1_024;

const NO_TEXT: AnswerText = { text: '', isWhole: false };

export class Endpoint {
  readonly #origin: string;
  readonly #credentialsHeader: string;
  readonly #authorization: Authorization;
  readonly #judge: Judge;
  readonly #context: Pick<PluginContext, 'clock' | 'fetch'>;

  constructor(
    config: HttpSinkSettings,
    parts: {
      readonly authorization: Authorization;
      readonly judge: Judge;
      readonly context: Pick<PluginContext, 'clock' | 'fetch'>;
    },
  ) {
    this.#origin = config['http.url'].origin;
    this.#credentialsHeader = config['http.authorization.header'];
    this.#authorization = parts.authorization;
    this.#judge = parts.judge;
    this.#context = parts.context;
  }

  /** `results`: of how many records the answer may tell one by one. */
  async send(
    request: HttpRequest,
    { signal, results = 0 }: { readonly signal: AbortSignal; readonly results?: number },
  ): Promise<Verdict> {
    for (let isSecond = false; ; isSecond = true) {
      const credentials = await this.#credentials(signal);
      if (typeof credentials === 'object' && credentials !== null) return credentials;
      const answered = await this.#answer(request, { credentials, signal, results });
      if ('kind' in answered) return answered;
      const { response, answer } = answered;
      const { status, headers } = response;
      // A token may be taken back before its time. The next one is as good as one can be, so nothing follows on that.
      if (status === 401 && !isSecond && this.#authorization.forget(credentials)) continue;
      return this.#judge.judge({
        status,
        answer,
        retryAfterMs: retryAfterMs(headers.get('retry-after'), this.#context.clock.nowMs()),
      });
    }
  }

  async #credentials(signal: AbortSignal): Promise<string | null | Verdict> {
    try {
      return await this.#authorization.value(signal);
    } catch (error) {
      if (error instanceof RetryableError) return { kind: 'retry', error };
      if (error instanceof FatalTaskError) return { kind: 'fatal', error };
      throw error;
    }
  }

  async #answer(
    { method, url, headers, body }: HttpRequest,
    {
      credentials,
      signal,
      results,
    }: { readonly credentials: string | null; readonly signal: AbortSignal; readonly results: number },
  ): Promise<{ readonly response: Response; readonly answer: AnswerText } | Verdict> {
    const unanswered = (error: unknown): Verdict => ({
      kind: 'retry',
      error: noAnswer(error, { from: this.#origin, isTimeOver: signal.aborted }),
    });
    let response: Response;
    try {
      response = await this.#context.fetch(url, {
        method,
        headers: credentials === null ? headers : { ...headers, [this.#credentialsHeader]: credentials },
        body: body as BodyInit | null,
        signal,
        redirect: 'manual',
      });
    } catch (error) {
      return unanswered(error);
    }
    try {
      return { response, answer: await readAnswer(response, { bytesMax: ANSWER_BYTES_MAX + results * RESULT_BYTES_MAX }) };
    } catch (error) {
      // What is wrong its status has said already; that all is well only a whole answer says.
      return response.ok ? unanswered(error) : { response, answer: NO_TEXT };
    }
  }
}
