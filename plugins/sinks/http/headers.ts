/** Headers of a configuration, which may hold parts of a record. */
import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { parseTemplate, type Template } from '../../../core/record/template.ts';

export interface ConfiguredHeader {
  readonly name: string;
  readonly value: Template;
}

/** `token` of https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2, read 2026-11-26. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** No line break, so that a value cannot become another header; and only what a header can carry, one byte a character. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Half of what servers take for all headers of a request together. */
const VALUE_CHARACTERS_MAX = 8_000;

/** They belong to the connection and the body, and `fetch` sets them itself or refuses them. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** `undefined`: nothing is wrong with it. */
export function faultOfHeaderName(name: string): string | undefined {
  if (!NAME.test(name)) return 'is not the name of a header';
  return RESERVED.has(name.toLowerCase()) ? 'is a header that is set by itself' : undefined;
}

export function isHeaderValue(text: string): boolean {
  return VALUE.test(text);
}

/** Of `name:value,name:value`, a comma in a value written `\,`. `string`: what is wrong with it. */
export function parseHeaders(text: string): readonly ConfiguredHeader[] | string {
  const headers: ConfiguredHeader[] = [];
  for (const item of text.split(/(?<!\\),/)) {
    if (item.trim() === '') continue;
    const [, name = '', rest = ''] = /^([^:]*):(.*)$/s.exec(item) ?? [];
    const fault = faultOfHeaderName(name.trim());
    if (fault !== undefined) return `has an item that is not name:value: what comes before its colon ${fault}`;
    const value = parseTemplate(rest.trim().replaceAll('\\,', ','));
    if (typeof value === 'string') return value;
    if (!isHeaderValue(value.beginning)) return `has a value of ${name.trim()} that no header can carry`;
    headers.push({ name: name.trim(), value });
  }
  return headers;
}

/** Adds what this record has to say; a header of which it lacks a part is left out. @throws {RecordError} for what no header can carry. */
export function addHeaders(to: Record<string, string>, headers: readonly ConfiguredHeader[], record: ConnectRecord): void {
  for (const { name, value } of headers) {
    const text = value.fill(record);
    if (text === null) continue;
    if (!isHeaderValue(text)) {
      throw new RecordError(`the header ${name} of this record would have a line break, or a character that no header can carry`);
    }
    if (text.length > VALUE_CHARACTERS_MAX) {
      throw new RecordError(
        `the header ${name} of this record has ${text.length} characters, ${VALUE_CHARACTERS_MAX} are allowed`,
        { code: 'record.too_large' },
      );
    }
    to[name] = text;
  }
}
