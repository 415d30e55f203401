import { describe, expect, test } from 'vitest';
import { configProblems } from '../../../plugins/config-problems.ts';
import { registry } from '../../../plugins/registry.ts';

const DROP = { 'connector.class': 'discard-sink', topics: 'orders' };

async function pathsOf(config: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await configProblems(registry, config)).map(({ path }) => path);
}

describe('configProblems', () => {
  test('finds none where there is none', async () => {
    expect(await pathsOf(DROP)).toEqual([]);
  });

  test("finds what is wrong with plugins' keys beside what is wrong with the runtime's", async () => {
    const config = { ...DROP, 'tasks.max': 'many', 'errors.tolerance': 'some', speed: 'high', 'value.converter.speed': 'low' };

    expect(await pathsOf(config)).toEqual(['tasks.max', 'errors.tolerance', 'speed', 'value.converter.speed']);
  });

  test('finds what is wrong behind an alias that has no plugin', async () => {
    const config = { ...DROP, transforms: 'a, b', predicates: 'p', 'transforms.a.type': 'Filter', 'transforms.a.speed': '1' };

    expect(await pathsOf(config)).toEqual(['predicates.p.type', 'transforms.b.type', 'transforms.a.speed']);
  });

  test('finds every predicate that is not listed', async () => {
    const filters = { 'transforms.a.type': 'Filter', 'transforms.b.type': 'Filter' };
    const config = { ...DROP, transforms: 'a,b', ...filters, 'transforms.a.predicate': 'p', 'transforms.b.predicate': 'q' };

    expect(await pathsOf(config)).toEqual(['transforms.a.predicate', 'transforms.b.predicate']);
  });

  test('says that the class is missing, and nothing of keys that nobody knows then', async () => {
    expect(await pathsOf({ speed: 'high' })).toEqual(['connector.class']);
  });
});
