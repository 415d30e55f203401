import type { OutgoingRecord } from '../../core/ports.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decoder.decode(bytes);
}

export function anOutgoingRecord(fields: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return { key: null, value: bytesOf('value'), tag: null, headers: [], bornAtMs: 1_700_000_000_000, ...fields };
}

/** One record for each text, as its value. */
export function outgoing(...values: readonly string[]): readonly OutgoingRecord[] {
  return values.map((value) => anOutgoingRecord({ value: bytesOf(value) }));
}

/** What every log keeps of a record. */
type Contents = Pick<OutgoingRecord, 'key' | 'value' | 'tag' | 'headers' | 'bornAtMs'>;

/** What a producer gave, with plain byte arrays, whatever kind of buffer the log hands out. */
export function asSent({ key, value, tag, headers, bornAtMs }: Contents): OutgoingRecord {
  return { key: plain(key), value: plain(value), tag, headers: headers.map(([name, text]) => [name, text]), bornAtMs };
}

function plain(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}
