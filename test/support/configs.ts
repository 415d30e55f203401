/** Pieces of connectors' configurations. */

/** Drops records without a value. */
export const FILTER_TOMBSTONES: Readonly<Record<string, string>> = {
  transforms: 'drop',
  'transforms.drop.type': 'org.apache.kafka.connect.transforms.Filter',
  'transforms.drop.predicate': 'empty',
  predicates: 'empty',
  'predicates.empty.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
};

export const DEAD_LETTERS: Readonly<Record<string, string>> = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'refused-orders',
};
