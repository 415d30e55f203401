import { expect } from 'vitest';
import type { SourceCase } from './source-under-test.ts';

export function discoveryCases(check: SourceCase): void {
  check('lists at least one shard, each under a name of its own', [], async ({ shards }) => {
    const parts = await shards();

    expect(parts.length).toBeGreaterThan(0);
    expect(new Set(parts.map((part) => JSON.stringify(part))).size).toBe(parts.length);
    for (const part of parts) expect(part.length).toBeGreaterThan(0);
  });

  check('lists the same shards in the same order while nothing changes', [], async ({ discover }) => {
    expect(await discover()).toEqual(await discover());
  });
}
