import { expect } from 'vitest';
import { z } from 'zod';
import type { Case } from './cases.ts';

interface Configurable {
  readonly config: Readonly<Record<string, string>>;
}

interface Keys {
  readonly config: z.ZodType;
  readonly requiredKeys: readonly string[];
}

export function configurationCases(check: Case<Configurable>, plugin: Keys): void {
  check('describes every key', [], async () => {
    const { properties = {} } = z.toJSONSchema(plugin.config, { io: 'input', unrepresentable: 'any' });

    const undescribed = Object.entries(properties).filter(([, key]) => typeof key === 'boolean' || !key.description);

    expect(undescribed.map(([name]) => name)).toEqual([]);
  });

  check('accepts a valid configuration', [], async ({ config }) => {
    expect(plugin.config.safeParse(config).error).toBeUndefined();
  });

  check('names each required key that is missing', [], async ({ config }) => {
    for (const key of plugin.requiredKeys) {
      const rest = Object.fromEntries(Object.entries(config).filter(([name]) => name !== key));

      const { error } = plugin.config.safeParse(rest);

      expect(error?.issues.map(({ path }) => path.join('.'))).toContain(key);
    }
  });
}
