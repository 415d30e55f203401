import { describe, expect, it } from 'vitest';
import { allPlugins, registry } from '../../../plugins/registry.ts';

const find: Readonly<Record<'converter' | 'transform' | 'predicate', (name: string) => unknown>> = {
  converter: registry.findConverter,
  transform: registry.findTransform,
  predicate: registry.findPredicate,
};
const kinds = ['converter', 'transform', 'predicate'] as const;

describe('registry', () => {
  it.each(kinds)('finds each %s by its name and by every alias, and gives no name to two', async (kind) => {
    const plugins = (await allPlugins()).flatMap((plugin) => (plugin.kind === kind && 'aliases' in plugin ? [plugin] : []));
    const names = plugins.flatMap(({ name, aliases }) => [name, ...aliases]);

    expect(plugins).not.toHaveLength(0);
    expect(names.map((name) => find[kind](name))).toStrictEqual(
      plugins.flatMap((plugin) => [plugin, ...plugin.aliases.map(() => plugin)]),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(['toString', '__proto__', '', 'no.such.Plugin'])('finds nothing called %j', async (name) => {
    expect(kinds.map((kind) => find[kind](name))).toStrictEqual([undefined, undefined, undefined]);
    expect([await registry.findSink(name), await registry.findSource(name)]).toStrictEqual([undefined, undefined]);
  });
});
