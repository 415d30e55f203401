import { z } from 'zod';
import { definePredicate } from '../api/predicate.ts';

/** Records whose value is null. */
export const recordIsTombstone = definePredicate({
  name: 'record-is-tombstone',
  aliases: ['org.apache.kafka.connect.transforms.predicates.RecordIsTombstone', 'RecordIsTombstone'],
  config: z.object({}),
  // A value can be null although there are bytes: the JSON text `null`. Only where there are none is decoding spared.
  create: () => (record) => record.valueDatum.bytes === null || record.value === null,
});
