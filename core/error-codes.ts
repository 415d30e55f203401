/**
 * Every error code of the product: what it means, the HTTP status and exit code it maps to, and the next step for the
 * person who reads it. `docs/errors.md` is generated from this table.
 *
 * Exit codes: 1 run time, 2 configuration, 3 environment.
 */
export interface ErrorCodeFacts {
  readonly meaning: string;
  readonly http: number;
  readonly exit: 1 | 2 | 3;
  readonly next: string;
}

export const errorCodes = {
  'record.conversion_failed': {
    meaning: 'A converter could not read or write a record in the shape it declares.',
    http: 422,
    exit: 1,
    next: 'Check key.converter and value.converter against what the topic holds, or set errors.tolerance=all with a dead-letter queue.',
  },
  'record.transform_failed': {
    meaning: 'A transform or predicate refused a record.',
    http: 422,
    exit: 1,
    next: 'Compare the transform with the record in the dead-letter queue or log; guard it with a predicate, or set errors.tolerance=all.',
  },
  'record.rejected': {
    meaning: 'The target refused one record.',
    http: 422,
    exit: 1,
    next: 'Read the message for the reason the target gave; mend the record or the mapping, or set errors.tolerance=all.',
  },
  'record.too_large': {
    meaning: 'A record is larger than the log or the target takes.',
    http: 413,
    exit: 1,
    next: 'Raise the limit of the receiving side or shorten the record with a transform.',
  },
  'record.deadly': {
    meaning: 'Every invocation that touched this one record died.',
    http: 424,
    exit: 1,
    next: 'Look at the record at this position; with errors.tolerance=all it goes to the dead-letter queue while other shards commit.',
  },
  'target.unavailable': {
    meaning: 'The system being written to did not take the batch for now.',
    http: 503,
    exit: 3,
    next: 'Nothing to do if it recovers: the slice is tried again. Otherwise check the target and the network between.',
  },
  'target.throttled': {
    meaning: 'The system being written to turned the batch away because it gets too many (HTTP 429 and its like).',
    http: 503,
    exit: 3,
    next: 'Nothing to do: fewer invocations are sent until it keeps up. To move more, give the target more capacity.',
  },
  'target.timed_out': {
    meaning: 'The system being written to did not answer in time; whether it took the batch is unknown.',
    http: 504,
    exit: 3,
    next: 'The slice is tried again. If it happens often, raise put.timeout.ms or lower consumer.override.max.poll.records.',
  },
  'target.generation_newer': {
    meaning:
      'The target was written by a later generation of this shard than the state store knows: the store was restored from a backup.',
    http: 424,
    exit: 1,
    next: 'Stop the connector and reset its offsets to where it is to go on, until its generation is above the one that the message names: each reset raises it by one.',
  },
  'sink.unauthorized': {
    meaning: 'The system being written to refuses the credentials.',
    http: 424,
    exit: 1,
    next: 'Correct the credentials in the connector configuration, or what they are allowed to do, then restart the connector.',
  },
  'source.unavailable': {
    meaning: 'The system being read from did not answer for now.',
    http: 503,
    exit: 3,
    next: 'Nothing to do if it recovers: the slice is tried again. Otherwise check the source and the network between.',
  },
  'broker.unavailable': {
    meaning: 'The broker did not answer, or is unwell.',
    http: 503,
    exit: 3,
    next: 'Check that the broker runs and that its advertised address can be reached from the invocations.',
  },
  'broker.topic_missing': {
    meaning: 'The topic does not exist.',
    http: 424,
    exit: 1,
    next: 'Create the topic, or correct the name in the connector configuration.',
  },
  'broker.topic_refused': {
    meaning: 'The broker takes no topic of this name.',
    http: 424,
    exit: 1,
    next: 'Choose another topic in the connector configuration; RocketMQ takes letters, digits, _, -, % and |, 127 at most, and no dots.',
  },
  'broker.throttled': {
    meaning: 'The broker turned a request away because it has too much to do.',
    http: 503,
    exit: 3,
    next: 'Nothing to do if it recovers: the request is tried again. Otherwise look at the load of the broker and its disk.',
  },
  'broker.unauthorized': {
    meaning: 'The broker refuses the access key, or what it is allowed to do.',
    http: 424,
    exit: 1,
    next: 'Correct the access key and the secret key, or grant the key what the message names: topics to read and write, the group to read with.',
  },
  'broker.refused': {
    meaning: 'The broker refuses a request as it is.',
    http: 424,
    exit: 1,
    next: 'Read the message for the reason that the broker gave: a name it does not take, a group it may not create, a filter it does not understand.',
  },
  'log.unusable': {
    meaning: 'The embedded log cannot be opened, or its files are not those of this product.',
    http: 500,
    exit: 3,
    next: 'Check the path, that its folder exists, and that this user may write there; or name another folder.',
  },
  'log.damaged': {
    meaning: 'A file of the embedded log is missing, or is not what was written.',
    http: 500,
    exit: 3,
    next: 'Restore the named file from a backup, or delete its topic and fill it again from its source.',
  },
  'log.newer': {
    meaning: 'The embedded log was written by a newer version of the product.',
    http: 500,
    exit: 3,
    next: 'Upgrade this host to the version that wrote it.',
  },
  'store.unavailable': {
    meaning: 'The state store did not answer, or throttled the request.',
    http: 503,
    exit: 3,
    next: 'Check the state store; invocations stop by themselves and lose nothing meanwhile.',
  },
  'store.unusable': {
    meaning: 'The state store cannot be opened, or its file is not one of this product.',
    http: 500,
    exit: 3,
    next: 'Check the path, that its folder exists, and that this user may write there; or name another file.',
  },
  'store.document_corrupt': {
    meaning: 'A stored document is not what any version of the product writes.',
    http: 500,
    exit: 3,
    next: 'Restore the named document from a backup, or stop the connector and reset its offsets.',
  },
  'store.document_newer': {
    meaning: 'A stored document was written by a newer version of the product.',
    http: 500,
    exit: 3,
    next: 'Upgrade this host to the version that wrote it.',
  },
  'slice.fenced': {
    meaning: 'Another invocation owns the slice by now; this one changed nothing.',
    http: 409,
    exit: 1,
    next: 'Nothing to do: this is how a slow or doubled invocation ends.',
  },
  'shard.log_truncated': {
    meaning: 'The log ends before what was already read, or was created anew.',
    http: 424,
    exit: 1,
    next: 'Stop the connector and reset the offsets of this shard to where it should read on.',
  },
  'shard.log_gap': {
    meaning: 'Retention removed records before they were read.',
    http: 424,
    exit: 1,
    next: 'Set log.gap.policy=skip to go on behind the gap, or reset the offsets; raise the retention of the topic.',
  },
  'shard.attempts_exhausted': {
    meaning: 'The same slice failed too often with an error the runtime does not know.',
    http: 424,
    exit: 1,
    next: 'Read the last error of the shard, mend its cause, then restart the connector.',
  },
  'source.unauthorized': {
    meaning: 'The system being read from refuses the credentials, or what they are allowed to do.',
    http: 424,
    exit: 1,
    next: 'Correct the credentials in the connector configuration, or grant what the message names, then restart the connector.',
  },
  'source.log_lost': {
    meaning: 'The log of changes does not reach back to where the connector stands.',
    http: 424,
    exit: 1,
    next: 'Reset the offsets of the connector, which then reads its tables anew or goes on from now; let the source keep its log for longer.',
  },
  'source.unreadable': {
    meaning: 'The log of changes holds something that would be lost if reading went on.',
    http: 424,
    exit: 1,
    next: 'Do what the message says to have it logged in a way that can be read, then go on behind it.',
  },
  'source.misconfigured': {
    meaning: 'The system being read from is not set up so that all changes can be read.',
    http: 424,
    exit: 1,
    next: 'Run the statements that the message names, then restart the connector.',
  },
  'source.checkpoint_too_large': {
    meaning: 'The resume position of a source is larger than the store keeps.',
    http: 500,
    exit: 1,
    next: 'This is a fault of the source plugin: report it with the size in the message.',
  },
  'source.deadly': {
    meaning: 'One invocation after the other died while it worked on this shard of a source.',
    http: 424,
    exit: 1,
    next: 'Look for what ends them (memory, the time the platform allows, a crash of the plugin), mend it, then restart the connector.',
  },
  'task.failed': {
    meaning: 'The plugin says that nothing can succeed until somebody acts.',
    http: 424,
    exit: 1,
    next: 'Read the message, mend its cause, then restart the connector.',
  },
  'plugin.failed': {
    meaning: 'A plugin threw an error the runtime does not know.',
    http: 500,
    exit: 1,
    next: 'The slice is tried again a bounded number of times; read the message and check the plugin.',
  },
  'config.invalid': {
    meaning: 'A configuration breaks its schema.',
    http: 400,
    exit: 2,
    next: 'Correct each key that is named.',
  },
  'secret.refused': {
    meaning: 'A configuration names a secret that the operator of the host does not allow.',
    http: 424,
    exit: 2,
    next: 'Allow it with secrets.env or secrets.folders where the host is started, or name another one; then restart the connector.',
  },
  'secret.missing': {
    meaning: 'A configuration names a secret that is not there.',
    http: 424,
    exit: 2,
    next: 'Correct the placeholder, or put the value where it says; then restart the connector.',
  },
  'secret.unavailable': {
    meaning: 'Where a secret is kept, nothing answered in time.',
    http: 503,
    exit: 3,
    next: 'Nothing to do if it recovers: it is asked again, and what has its secrets already goes on. Otherwise check the folder that the placeholder names, and the network it comes over.',
  },
  'connector.exists': {
    meaning: 'There is a connector of this name already.',
    http: 409,
    exit: 2,
    next: 'Choose another name, or change the connector that has it.',
  },
  'connector.not_found': {
    meaning: 'There is no connector of this name.',
    http: 404,
    exit: 2,
    next: 'Look for its name in the list of connectors.',
  },
  'internal.assertion': {
    meaning: 'The product found itself in a state it holds to be impossible.',
    http: 500,
    exit: 1,
    next: 'Nothing is lost: the slice is claimed again. Report the message.',
  },
} as const satisfies Record<string, ErrorCodeFacts>;

export type ErrorCode = keyof typeof errorCodes;
