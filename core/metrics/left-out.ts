/** Metrics of Kafka Connect 4.1 that would say nothing here, or nothing new. Each other one of its own there is. */
export interface LeftOut {
  /** Of JMX: `type=...`. */
  readonly group: string;
  /** Empty: all of the group. */
  readonly attributes: readonly string[];
  readonly why: string;
}

export const leftOut: readonly LeftOut[] = [
  {
    group: 'source-task-metrics',
    attributes: ['source-record-active-count'],
    why: 'how many records a source has polled and not yet committed only its invocation knows while it runs; it tells their average and their most when it ends, and holds none from then on',
  },
  {
    group: 'connector-task-metrics',
    attributes: ['connector-class', 'connector-type', 'connector-version', 'task-class', 'task-version'],
    why: 'they are the same for all tasks of a connector, and stand in connector-metrics; a plugin has no class of its own for tasks',
  },
  {
    group: 'connector-task-metrics',
    attributes: [
      'key-converter-class',
      'key-converter-version',
      'value-converter-class',
      'value-converter-version',
      'header-converter-class',
      'header-converter-version',
    ],
    why: 'they never change between two changes of the configuration, which names the converters; of each plugin there is one version, and headers are text',
  },
  {
    group: 'connector-transform-metrics',
    attributes: ['transform-class', 'transform-version'],
    why: 'as with converters',
  },
  {
    group: 'connector-predicate-metrics',
    attributes: ['predicate-class', 'predicate-version'],
    why: 'as with converters',
  },
  {
    group: 'plugins',
    attributes: [],
    why: 'what a plugin counts is sortie_plugin_events_total',
  },
];
