import { describe, expect, it } from 'vitest';
import { findConverter, findPredicate, findTransform, registry } from '../../../plugins/registry.ts';

describe('registry', () => {
  it.each([
    ['converters', findConverter],
    ['transforms', findTransform],
    ['predicates', findPredicate],
  ] as const)('finds each of the %s by its name and by every alias', (kind, find) => {
    for (const plugin of registry[kind]) {
      expect([plugin.name, ...plugin.aliases].map(find)).toStrictEqual([plugin.name, ...plugin.aliases].map(() => plugin));
    }
  });

  it('gives no name to two plugins of a kind', () => {
    for (const kind of ['converters', 'transforms', 'predicates'] as const) {
      const names = registry[kind].flatMap(({ name, aliases }) => [name, ...aliases]);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it.each(['toString', '__proto__', '', 'no.such.Plugin'])('finds nothing called %j', (name) => {
    expect([findConverter(name), findTransform(name), findPredicate(name)]).toStrictEqual([undefined, undefined, undefined]);
  });
});
