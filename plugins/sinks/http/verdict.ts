/** What a status code says of the records of a request. */
import { FatalTaskError, RecordError, RetryableError } from '../../../core/errors.ts';
import type { HttpSinkSettings } from './http-config.ts';
import type { AnswerText } from './read-answer.ts';
import { includesStatus, parseStatusCodes, type StatusRange } from './status-codes.ts';

export type Verdict =
  | { readonly kind: 'taken'; readonly answer: AnswerText }
  | { readonly kind: 'refused'; readonly status: number; readonly error: RecordError }
  | { readonly kind: 'retry'; readonly error: RetryableError }
  | { readonly kind: 'fatal'; readonly error: FatalTaskError };

/** A shorter text is a word that a sentence may hold, and no secret that would keep anybody out. */
const SECRET_CHARACTERS_MIN = 8;

export interface Answered {
  readonly status: number;
  readonly answer: AnswerText;
  readonly retryAfterMs: number;
}

export class Judge {
  readonly #origin: string;
  readonly #retried: readonly StatusRange[];
  readonly #shownCharacters: number;
  readonly #secrets: () => readonly string[];

  /** `secrets`: of the credentials, which an endpoint may give back, and which must not be shown. */
  constructor(config: HttpSinkSettings, secrets: () => readonly string[]) {
    this.#origin = config['http.url'].origin;
    this.#retried = parseStatusCodes(config['retry.on.status.codes']) ?? [];
    this.#shownCharacters = config['errors.answer.characters'];
    const own = secretsIn(config);
    this.#secrets = () => [...secrets(), ...own];
  }

  judge({ status, answer, retryAfterMs }: Answered): Verdict {
    if (status >= 200 && status < 300) return { kind: 'taken', answer };
    const retry = this.#retry(status, retryAfterMs);
    if (retry !== null) return { kind: 'retry', error: retry };
    if (status === 401 || status === 403) return { kind: 'fatal', error: this.#unauthorized(status) };
    if (status < 400) return { kind: 'fatal', error: this.#redirected(status) };
    return { kind: 'refused', status, error: this.#refused(status, answer.text) };
  }

  /** Of one record, in an answer that counts for others, too. `null`: it was taken. */
  judgeResult(status: number, reason: string): RecordError | RetryableError | null {
    if (status >= 200 && status < 300) return null;
    return this.#retry(status, 0) ?? this.#refused(status, reason);
  }

  #retry(status: number, retryAfterMs: number): RetryableError | null {
    if (!includesStatus(this.#retried, status)) return null;
    const options = { code: codeOf(status), details: { status }, retryAfterMs } as const;
    return new RetryableError(`${this.#origin} answers with HTTP ${status}`, options);
  }

  #refused(status: number, text: string): RecordError {
    const reason = this.#shown(text);
    return new RecordError(`${this.#origin} refuses it with HTTP ${status}${reason === '' ? '' : `: ${reason}`}`, {
      code: status === 413 ? 'record.too_large' : 'record.rejected',
      details: { status },
    });
  }

  #unauthorized(status: number): FatalTaskError {
    return new FatalTaskError(`${this.#origin} refuses the credentials with HTTP ${status}`, {
      code: 'sink.unauthorized',
      details: { status },
    });
  }

  #redirected(status: number): FatalTaskError {
    return new FatalTaskError(
      `${this.#origin} answers with HTTP ${status}, and redirects are not followed; next: set http.url to where it leads`,
      { details: { status } },
    );
  }

  /** Its beginning, on one line, with nothing secret in it. */
  #shown(text: string): string {
    if (this.#shownCharacters === 0) return '';
    let shown = text;
    // Before it is cut, for half a secret would not be found.
    for (const secret of this.#secrets()) {
      if (secret.length >= SECRET_CHARACTERS_MIN) shown = shown.replaceAll(secret, '[hidden]');
    }
    return shown
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .trim()
      .slice(0, this.#shownCharacters);
  }
}

/** Keys are also put into URLs and into headers of any name. */
function secretsIn(config: HttpSinkSettings): readonly string[] {
  const { 'http.url': url, 'http.headers.additional': headers } = config;
  return [url.path, url.path.replace(/[?#].*$/s, ''), ...headers.map(({ value }) => value.beginning)];
}

function codeOf(status: number): 'target.throttled' | 'target.timed_out' | 'target.unavailable' {
  if (status === 429) return 'target.throttled';
  return status === 408 || status === 504 ? 'target.timed_out' : 'target.unavailable';
}
