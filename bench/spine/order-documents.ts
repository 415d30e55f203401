/** The JSON that is moved, a sink that reads it, and the plain loop that does the same. */
import { z } from 'zod';
import type { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { offset } from '../../core/offset.ts';
import { ALL_TAKEN, defineSink, type SinkPlugin } from '../../plugins/api/sink.ts';
import { QUEUE } from '../sink-shard.ts';

const DOCUMENT_CHARACTERS = 300;

/** Field and value that the transform inserts. */
const FIELD = 'source';
const TEXT = 'bench';

export const INSERT_FIELD: Readonly<Record<string, string>> = {
  'value.converter': 'json',
  'value.converter.schemas.enable': 'false',
  transforms: 'mark',
  'transforms.mark.type': 'InsertField$Value',
  'transforms.mark.static.field': FIELD,
  'transforms.mark.static.value': TEXT,
};

/** What is looked at. */
interface Order {
  readonly cents: number;
  [FIELD]: string;
}

/** 300 characters of ASCII: numbers, texts, a nested object and an array. */
export function orderDocument(index: number): string {
  const order = {
    id: index,
    customer: `customer-${index % 977}`,
    status: ['new', 'paid', 'sent'][index % 3],
    cents: (index * 7_919) % 100_000,
    weight: (index % 400) / 16,
    express: index % 2 === 0,
    orderedAt: '2026-11-22T13:05:07.123Z',
    address: { street: 'Harbour Street 12', city: 'Hamburg', zip: '20457' },
    tags: ['gift', 'fragile'],
    note: '',
  };
  order.note = 'x'.repeat(DOCUMENT_CHARACTERS - JSON.stringify(order).length);
  return JSON.stringify(order);
}

/** Takes two fields of each value, one of them the inserted one, and drops it. */
export function readingSink(): { readonly plugin: SinkPlugin; sum(): number } {
  let sum = 0;
  const plugin = defineSink({
    name: 'reading-sink',
    version: '1.0.0',
    effect: 'append',
    reads: 'values',
    config: z.object({}),
    async open() {
      return {
        async put({ records }) {
          for (const { value } of records) {
            const document = value as unknown as Order;
            sum += document.cents + document[FIELD].length;
          }
          return ALL_TAKEN;
        },
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
      };
    },
  });
  return { plugin, sum: () => sum };
}

/**
 * The fastest setting that was found. `utf8Slice` and `latin1Slice` of `Buffer` differ from it by less than a twentieth, up
 * or down; `Buffer.toString`, a copy of the object instead of an assignment, and batches of 50 or 5,000 are no faster.
 */
export const PLAIN_LOOP_CODE = `for each value of log.read(): document = JSON.parse(decoder.decode(value)); document.${FIELD} = '${TEXT}'; sum += document.cents + document.${FIELD}.length`;
export const PLAIN_LOOP_SETTING =
  'one TextDecoder, no checks of any kind, the parsed object changed in place and dropped at once';

/** Sums the same as the sink. */
export async function plainLoop(
  log: MemoryLogBroker,
  limits: { readonly records: number; readonly bytes: number },
): Promise<number> {
  const decoder = new TextDecoder();
  let sum = 0;
  let from = offset(0);
  for (;;) {
    const { records, next } = await log.read(QUEUE, from, { ...limits, waitMs: 0 });
    if (records.length === 0) return sum;
    for (const { value } of records) {
      const document = JSON.parse(decoder.decode(value ?? undefined)) as Order;
      document[FIELD] = TEXT;
      sum += document.cents + document[FIELD].length;
    }
    from = next;
  }
}
