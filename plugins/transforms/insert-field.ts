import { z } from 'zod';
import { booleanKey, textKey } from '../../core/config/keys.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import { logicalNames, type Schema } from '../../core/record/schema.ts';
import { type StructBuilder, setField } from '../../core/record/struct.ts';
import { defineTransform } from '../api/transform.ts';
import { copied, copyPlans } from './copy-plan.ts';
import { onPart, partAliases, type RecordPart, type StructTransform, transformError } from './record-part.ts';

const MARKS = 'With ! behind the name the field is required, with ? or nothing it is optional.';

const Config = z
  .object({
    'topic.field': textKey().optional().describe(`Field for the topic. ${MARKS}`),
    'partition.field': textKey().optional().describe(`Field for the queue id of a record from a log. ${MARKS}`),
    'offset.field': textKey().optional().describe(`Field for the offset in the queue; sinks only. ${MARKS}`),
    'timestamp.field': textKey().optional().describe(`Field for the timestamp of the record. ${MARKS}`),
    'static.field': textKey().optional().describe(`Field for static.value. ${MARKS}`),
    'static.value': z.string().trim().optional().describe('Value of static.field.'),
    'replace.null.with.default': booleanKey()
      .default(true)
      .describe("With a schema: make a null its field's default value, where there is one."),
  })
  .superRefine((config, context) => {
    if (insertions(config).length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['static.field'],
        message: 'or another of the fields is required: there is nothing to insert',
      });
    }
    if (config['static.field'] !== undefined && config['static.value'] === undefined) {
      context.addIssue({ code: 'custom', path: ['static.value'], message: 'is required with static.field' });
    }
  });

type Config = z.output<typeof Config>;

export const insertFieldKey = insertField('key');
export const insertFieldValue = insertField('value');

/** Adds what is known of a record beside its value (topic, queue, offset, time), or a text that is always the same. */
function insertField(part: RecordPart) {
  return defineTransform({
    name: `insert-field-${part}`,
    aliases: partAliases('InsertField', part),
    config: Config,
    create: (config) => onPart(part, insertion(insertions(config), config['replace.null.with.default'])),
  });
}

interface Insertion {
  readonly name: string;
  readonly schema: Schema;
  /** `undefined` when the record has none. @throws {RecordError} when this kind of record never has. */
  readonly read: (record: ConnectRecord) => string | number | bigint | undefined;
}

function insertions(config: Omit<Config, 'replace.null.with.default'>): readonly Insertion[] {
  return [
    ...insertionOf(config['topic.field'], { type: 'string' }, (record) => record.topic),
    ...insertionOf(config['partition.field'], { type: 'int32' }, (record) => record.log?.queue.queueId),
    ...insertionOf(config['offset.field'], { type: 'int64' }, offsetOf),
    ...insertionOf(config['timestamp.field'], TIMESTAMP, (record) => record.timestampMs ?? undefined),
    ...insertionOf(config['static.field'], { type: 'string' }, () => config['static.value']),
  ];
}

const TIMESTAMP = { type: 'int64', name: logicalNames.timestamp, version: 1 } as const;

type InsertedType = { readonly type: 'string' | 'int32' | 'int64' } | typeof TIMESTAMP;

function insertionOf(marked: string | undefined, type: InsertedType, read: Insertion['read']): readonly Insertion[] {
  if (marked === undefined) return [];
  return [{ name: marked.replace(/[!?]$/, ''), schema: { ...type, optional: !marked.endsWith('!') }, read }];
}

function offsetOf({ log }: ConnectRecord): bigint {
  if (log === null) throw transformError('a record of a source has no offset to insert');
  return log.offset;
}

function insertion(inserted: readonly Insertion[], replaceNullWithDefault: boolean): StructTransform {
  const added = inserted.map(({ name, schema }) => ({ name, schema }));
  const planOf = copyPlans({ rename: (name) => name, added, replaceNullWithDefault });
  return {
    schemaless(struct, record) {
      const copy: StructBuilder = { ...struct };
      for (const { name, read } of inserted) {
        const value = read(record);
        if (value !== undefined) setField(copy, name, asSchemaless(value));
      }
      return copy;
    },
    withSchema(schema, struct, record) {
      const plan = planOf(schema);
      const copy = copied(plan, struct);
      for (const { name, schema: type, read } of inserted) {
        const value = read(record);
        if (value === undefined && !type.optional) throw transformError(`the record has no value for the required field ${name}`);
        setField(copy, name, value === undefined ? null : type.type === 'int64' ? BigInt(value) : value);
      }
      return { schema: plan.schema, value: copy };
    },
  };
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Without a schema an integer is a `number` while it is a safe one. */
function asSchemaless(value: string | number | bigint): string | number | bigint {
  return typeof value === 'bigint' && value <= SAFE_MAX ? Number(value) : value;
}
