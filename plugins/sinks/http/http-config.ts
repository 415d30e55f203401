import { z } from 'zod';
import { booleanKey, enumKey, intKey, passwordKey, textKey } from '../../../core/config/keys.ts';
import { PLACEHOLDERS } from '../../../core/record/template.ts';
import { type ConfiguredHeader, faultOfHeaderName, isHeaderValue, parseHeaders } from './headers.ts';
import { parseStatusCodes } from './status-codes.ts';
import { httpUrl, parseTargetUrl } from './target-url.ts';

/** As many connections to one host as Node's `fetch` is glad to keep; a platform may allow fewer (Cloudflare Workers: 6). */
const CONCURRENCY_MAX = 64;

/** What API gateways take at most. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html, read 2026-11-26 */
const REQUEST_BYTES = 10_000_000;

/** Reads a key and says what is wrong with it, where `read` answers text. */
function readKey<T extends object>(read: (text: string) => T | string): z.ZodType<T> {
  return textKey().transform((text, context) => {
    const value = read(text);
    if (typeof value !== 'string') return value;
    context.addIssue({ code: 'custom', message: value });
    return z.NEVER;
  });
}

/** Text between records: may be empty or blank, and has escapes for what a file of properties cannot say. */
function affixKey(fallback: string) {
  return z.preprocess(
    (value) => value ?? fallback,
    z
      .string()
      .max(1_000, 'must have at most 1000 characters')
      .regex(/^(?:[^\\]|\\[nrt\\])*$/s, 'must have no other escapes than \\n, \\r, \\t and \\\\'),
  );
}

const headerName = textKey().refine(
  (name) => faultOfHeaderName(name) === undefined,
  'must be the name of a header that may be set',
);
const headerText = 'must have only what a header can carry';

/** Named as Aiven's HTTP sink names them, and as Confluent's where that one has none. */
export const HttpSinkConfig = z
  .object({
    'http.url': readKey(parseTargetUrl).describe(
      `Where records are sent. Behind the host it may hold parts of a record, percent-encoded: ${PLACEHOLDERS}. A record that lacks one is refused. Redirects are not followed.`,
    ),
    'request.method': enumKey(['POST', 'PUT', 'PATCH']).default('POST').describe('Method of each request.'),
    'http.headers.content.type': textKey()
      .refine(isHeaderValue, headerText)
      .default('application/json')
      .describe('The Content-Type of each request; the body is what value.converter writes.'),
    'http.headers.additional': readKey(parseHeaders)
      .default([])
      .describe(
        'Further headers as name:value, separated by commas; a comma in a value is written \\,. Values may hold parts of a record, as http.url; a header of which a record lacks a part is left out.',
      ),
    'http.authorization.type': enumKey(['none', 'static', 'basic', 'bearer', 'oauth2'])
      .default('none')
      .describe('How requests prove who sends them. oauth2: with a token that is fetched by the grant of client credentials.'),
    'http.headers.authorization': passwordKey()
      .refine(isHeaderValue, headerText)
      .optional()
      .describe('With static: the whole value of the header.'),
    'http.authorization.header': headerName
      .default('Authorization')
      .describe('Name of the header that holds the credentials; X-Api-Key, for example, with static.'),
    'connection.user': textKey().optional().describe('With basic: the name of the user.'),
    'connection.password': passwordKey().optional().describe('With basic: the password.'),
    'bearer.token': passwordKey().refine(isHeaderValue, headerText).optional().describe('With bearer: the token.'),
    'oauth2.access.token.url': readKey(parseTokenUrl).optional().describe('With oauth2: where a token is fetched.'),
    'oauth2.client.id': textKey().optional().describe('With oauth2: the id of this client.'),
    'oauth2.client.secret': passwordKey().optional().describe('With oauth2: the secret of this client.'),
    'oauth2.client.authorization.mode': enumKey(['header', 'url'])
      .default('header')
      .describe('How id and secret are sent. header: by HTTP Basic. url: as client_id and client_secret beside the grant.'),
    'oauth2.client.scope': textKey().optional().describe('The scope to ask for. Absent: none is named.'),
    'oauth2.response.token.property': textKey()
      .default('access_token')
      .describe(
        'Where the token is in the answer. Its expires_in says for how many seconds it is good; without one it is kept until it is refused.',
      ),
    'batching.enabled': booleanKey()
      .default(false)
      .describe(
        'true: records that follow one another, and have the same URL and headers, are sent by one request. false: each record is a request of its own, with its value as the body.',
      ),
    'batch.max.size': intKey({ min: 1, max: 100_000 }).default(500).describe('Most records of one batch.'),
    'batch.prefix': affixKey('').describe(
      'What comes before the first record of a batch: [ for an array of JSON. With escapes \\n, \\r, \\t, \\\\.',
    ),
    'batch.separator': affixKey('\\n').describe('What comes between two records of a batch: a comma for an array of JSON.'),
    'batch.suffix': affixKey('\\n').describe('What comes behind the last record of a batch: ] for an array of JSON.'),
    'batch.split.on.refusal': booleanKey()
      .default(true)
      .describe(
        'A batch that is refused is sent again in halves, until the refused records are found; what an endpoint had taken of it nevertheless is doubled, under other idempotency keys. false: all of its records are refused.',
      ),
    'batch.results': enumKey(['none', 'array'])
      .default('none')
      .describe(
        'array: a batch that is taken is answered with an array of JSON that has an item for each record, in their order: its status, as a number or as {"status": 422, "error": "why"}. none: the answer of a batch counts for all of its records.',
      ),
    'request.max.bytes': intKey({ min: 1, max: 100_000_000 })
      .default(REQUEST_BYTES)
      .describe('Longest body. Batches end before it; a record that is longer by itself is refused.'),
    'http.concurrency': intKey({ min: 1, max: CONCURRENCY_MAX })
      .default(1)
      .describe(
        'Requests at once, without batching. 1: in the order of the queue. More: in order for each key; records without a key in any order.',
      ),
    'idempotency.key.header': headerName
      .default('Idempotency-Key')
      .describe(
        'Header by which a receiver knows what it has seen already: uid, shard, generation and offset of a record, or the first and last offset of a batch. A record is sent again under the same key; a batch may be sent again with other neighbours.',
      ),
    'behavior.on.null.values': enumKey(['fail', 'ignore', 'delete'])
      .default('fail')
      .describe(
        'A record without a value. fail: it is refused. ignore: it is passed over. delete: its URL, which has to hold its key, is asked to DELETE.',
      ),
    'retry.on.status.codes': textKey()
      .refine((text) => parseStatusCodes(text) !== undefined, 'must be a list as 408,425,429,500- of codes from 400 to 599')
      .default('408,425,429,500-')
      .describe(
        'Status codes after which a request is tried again, once the time is over that Retry-After asks for: single ones and ranges. Of all others, 401, 403 and redirects fail the shard, and 4xx refuse the record. What is not answered within put.timeout.ms is tried again as well.',
      ),
    'errors.answer.characters': intKey({ min: 0, max: 1_000 })
      .default(200)
      .describe(
        'How much of the answer by which an endpoint refuses a record is shown in the error. It may quote the record. 0: nothing.',
      ),
  })
  .superRefine((config, context) => {
    const refuse = (key: keyof typeof config, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    const type = config['http.authorization.type'];
    for (const key of credentialKeys[type])
      if (config[key] === undefined) refuse(key, `is required with http.authorization.type=${type}`);
    const twice = firstTwice(headerNames(config));
    if (twice !== undefined) refuse('http.headers.additional', `must not set ${twice}, which is set already`);
    const batching = config['batching.enabled'];
    if (batching && config['http.concurrency'] > 1) refuse('http.concurrency', 'must be 1 with batching.enabled=true');
    if (config['behavior.on.null.values'] !== 'delete') return;
    if (batching) refuse('behavior.on.null.values', 'must not be delete with batching.enabled=true');
    if (!config['http.url'].hasKey) refuse('http.url', 'must hold ${key} with behavior.on.null.values=delete');
  });

export type HttpSinkSettings = z.output<typeof HttpSinkConfig>;

const credentialKeys = {
  none: [],
  static: ['http.headers.authorization'],
  basic: ['connection.user', 'connection.password'],
  bearer: ['bearer.token'],
  oauth2: ['oauth2.access.token.url', 'oauth2.client.id', 'oauth2.client.secret'],
} as const satisfies Record<string, readonly string[]>;

/** All that a request has, `http.headers.additional` last. */
function headerNames(config: {
  readonly 'http.authorization.type': string;
  readonly 'http.authorization.header': string;
  readonly 'idempotency.key.header': string;
  readonly 'http.headers.additional': readonly ConfiguredHeader[];
}): readonly string[] {
  const credentials = config['http.authorization.type'] === 'none' ? [] : [config['http.authorization.header']];
  const additional = config['http.headers.additional'].map(({ name }) => name);
  return ['Content-Type', ...credentials, config['idempotency.key.header'], ...additional];
}

/** Upper and lower case are the same in names of headers. */
function firstTwice(names: readonly string[]): string | undefined {
  const lower = names.map((name) => name.toLowerCase());
  return names.find((_, index) => lower.indexOf(lower[index] ?? '') < index);
}

function parseTokenUrl(text: string): { readonly href: string; readonly origin: string } | string {
  return httpUrl(text);
}

/** What an affix stands for. */
export function unescaped(affix: string): string {
  return affix.replace(/\\([nrt\\])/g, (_, code: string) => ({ n: '\n', r: '\r', t: '\t' })[code] ?? '\\');
}
