/**
 * Where records are sent: a URL that may hold parts of them, each percent-encoded. Scheme, host and port are never made of a
 * record, and no part of one may climb out of the folder that the configuration names.
 */
import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { parseTemplate, type Template } from '../../../core/record/template.ts';

export interface TargetUrl {
  /** Scheme, host and port: all of a URL that may be shown, for what follows is a secret in many a webhook. */
  readonly origin: string;
  /** What follows that, up to the first placeholder. */
  readonly path: string;
  readonly isFixed: boolean;
  readonly hasKey: boolean;
  /** @throws {RecordError} where the record cannot be told by a URL. */
  of(record: ConnectRecord): string;
}

/** Servers and what lies between take about as much. https://www.rfc-editor.org/rfc/rfc9110#section-4.1 asks for 8,000, read 2026-11-26 */
const URL_CHARACTERS_MAX = 8_000;

const ORIGIN = /^[a-z]+:\/\/[^/?#]*/i;

/**
 * A step to the folder itself or above it, which the URL would lose on its way; or at its end, for there are servers that decode
 * slashes before they look for such steps.
 */
const DOT_SEGMENT = /(?:^|\/|%2f|%5c)(?:\.|%2e){1,2}(?:[/?#]|%2f|%5c|$)/i;

/** `string`: what is wrong with it. */
export function parseTargetUrl(text: string): TargetUrl | string {
  const template = parseTemplate(text, encodeURIComponent);
  if (typeof template === 'string') return template;
  const url = httpUrl(template.beginning);
  if (typeof url === 'string') return url;
  if (!template.isFixed && !/^https?:\/\/[^/?#]+[/?]/i.test(template.beginning))
    return 'must name scheme, host and port without a placeholder';
  if (DOT_SEGMENT.test(pathOf(text))) return 'must not have . or .. in its path';
  const { origin } = url;
  const { isFixed, hasKey } = template;
  const path = template.beginning.replace(ORIGIN, '');
  return { origin, path, isFixed, hasKey, of: isFixed ? () => text : (record) => filled(template, record) };
}

/** The URL itself; or what is wrong with it. */
export function httpUrl(text: string): URL | string {
  if (!URL.canParse(text)) return 'must be a URL, such as https://example.com/orders';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not hold credentials: name them by http.authorization.type';
  return url;
}

function filled(template: Template, record: ConnectRecord): string {
  const url = wellFormed(template, record);
  if (url === null) throw new RecordError('this record lacks a part that http.url is made of');
  if (DOT_SEGMENT.test(pathOf(url))) throw new RecordError('a part of this record would be . or .. in the path of http.url');
  if (url.length > URL_CHARACTERS_MAX) {
    throw new RecordError(`the URL of this record has ${url.length} characters, ${URL_CHARACTERS_MAX} are allowed`, {
      code: 'record.too_large',
    });
  }
  return url;
}

function wellFormed(template: Template, record: ConnectRecord): string | null {
  try {
    return template.fill(record);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new RecordError('a part of this record has half a surrogate pair, which no URL can hold');
  }
}

/** Behind the host. */
function pathOf(url: string): string {
  return url.replace(ORIGIN, '').replace(/[?#].*$/s, '');
}
