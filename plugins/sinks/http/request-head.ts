/** What of a request its records decide, but its body. */
import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { addHeaders, type ConfiguredHeader } from './headers.ts';
import type { HttpSinkSettings } from './http-config.ts';

export interface RequestHead {
  readonly url: string;
  /** Without credentials and idempotency key. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws {RecordError} where there can be no such request. */
export type HeadOf = (record: ConnectRecord) => RequestHead;

export function headOf(config: HttpSinkSettings): HeadOf {
  const url = config['http.url'];
  const configured = config['http.headers.additional'];
  const fixed: Record<string, string> = { 'content-type': config['http.headers.content.type'] };
  const filled: ConfiguredHeader[] = [];
  for (const header of configured) {
    if (header.value.isFixed) fixed[header.name] = header.value.beginning;
    else filled.push(header);
  }
  const head = (record: ConnectRecord, headers: Readonly<Record<string, string>>): RequestHead => ({
    url: url.of(record),
    headers,
  });
  if (filled.length === 0) return (record) => head(record, fixed);
  return (record) => {
    const headers = { ...fixed };
    addHeaders(headers, filled, record);
    return head(record, headers);
  };
}

export function isSameHead(one: RequestHead, other: RequestHead): boolean {
  if (one.url !== other.url) return false;
  if (one.headers === other.headers) return true;
  const names = Object.keys(one.headers);
  return names.length === Object.keys(other.headers).length && names.every((name) => one.headers[name] === other.headers[name]);
}

/** What keeps a record from being sent, whoever threw it; anything else is thrown on. */
export function refusalIn(error: unknown): RecordError {
  if (error instanceof RecordError) return error;
  throw error;
}

export function withKey(
  headers: Readonly<Record<string, string>>,
  name: string,
  key: string | null,
): Readonly<Record<string, string>> {
  return key === null ? headers : { ...headers, [name]: key };
}

export function withoutValue(): RecordError {
  return new RecordError('this record has no value, which behavior.on.null.values=fail refuses');
}

export function tooLarge(bytes: number, bytesMax: number): RecordError {
  return new RecordError(`the body of this record has ${bytes} bytes, request.max.bytes are ${bytesMax}`, {
    code: 'record.too_large',
    details: { bytes },
  });
}
