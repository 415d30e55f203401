import { z } from 'zod';
import { booleanKey, listKey } from '../../core/config/keys.ts';
import type { Struct } from '../../core/record/schema.ts';
import { type StructBuilder, setField } from '../../core/record/struct.ts';
import { defineTransform } from '../api/transform.ts';
import { copied, copyPlans } from './copy-plan.ts';
import { onPart, partAliases, type RecordPart, type StructTransform } from './record-part.ts';

const Config = z.object({
  exclude: listKey().default([]).describe('Fields to leave out; wins over include.'),
  include: listKey().default([]).describe('Fields to keep; empty: all.'),
  renames: listKey().transform(pairs).default([]).describe('Fields to rename, as old:new.'),
  'replace.null.with.default': booleanKey()
    .default(true)
    .describe("With a schema: make a null its field's default value, where there is one."),
});

type Config = z.output<typeof Config>;

function pairs(items: readonly string[], context: z.RefinementCtx): readonly (readonly [from: string, to: string])[] {
  return items.map((item) => {
    const [from = '', to = '', ...more] = item.split(':').map((name) => name.trim());
    if (to === '' || more.length > 0) context.addIssue({ code: 'custom', message: `${JSON.stringify(item)} must be old:new` });
    return [from, to];
  });
}

export const replaceFieldKey = replaceField('key');
export const replaceFieldValue = replaceField('value');

/** Leaves out, keeps or renames fields. */
function replaceField(part: RecordPart) {
  return defineTransform({
    name: `replace-field-${part}`,
    aliases: partAliases('ReplaceField', part),
    config: Config,
    create: (config) => onPart(part, replacement(config)),
  });
}

/** What becomes of a field: another name, or `null` when it is left out. Fields without an entry stay. */
type Changes = ReadonlyMap<string, string | null>;

function replacement({
  exclude,
  include,
  renames,
  'replace.null.with.default': replaceNullWithDefault,
}: Config): StructTransform {
  const changes: Changes = new Map([...renames, ...exclude.map((name) => [name, null] as const)]);
  const included = include.length === 0 ? null : new Set(include);

  function rename(name: string): string | null {
    if (included?.has(name) === false) return null;
    const to = changes.get(name);
    return to === undefined ? name : to;
  }

  const planOf = copyPlans({ rename, added: [], replaceNullWithDefault });
  return {
    schemaless: (struct) => (included === null && !touches(changes, struct) ? struct : replaced(struct, rename)),
    withSchema(schema, struct) {
      const plan = planOf(schema);
      return { schema: plan.schema, value: copied(plan, struct) };
    },
  };
}

function touches(changes: Changes, struct: Struct): boolean {
  for (const name of changes.keys()) if (Object.hasOwn(struct, name)) return true;
  return false;
}

function replaced(struct: Struct, rename: (name: string) => string | null): Struct {
  const copy: StructBuilder = {};
  for (const name in struct) {
    const to = rename(name);
    if (to !== null) setField(copy, to, struct[name] ?? null);
  }
  return copy;
}
