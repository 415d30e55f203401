import { describe, expect, test } from 'vitest';
import { LogLevels } from '../../../../adapters/telemetry/log-levels.ts';
import { jsonLogs, textLogs } from '../../../../adapters/telemetry/logs.ts';

const clock = { nowMs: () => 7 };

describe('LogLevels', () => {
  test('shows lines of the level that is set, and above', () => {
    const levels = new LogLevels({ root: 'WARN', clock });

    expect([levels.shows('info', {}), levels.shows('warn', {}), levels.shows('error', {})]).toEqual([false, true, true]);
  });

  test('shows more, or nothing, of one connector', () => {
    const levels = new LogLevels({ root: 'INFO', clock });
    levels.set('connector.orders', 'TRACE');
    levels.set('connector.loud', 'OFF');

    expect(levels.shows('debug', { connector: 'orders' })).toBe(true);
    expect(levels.shows('debug', { connector: 'others' })).toBe(false);
    expect(levels.shows('error', { connector: 'loud' })).toBe(false);
  });

  test('forgets the connector whose level was set longest ago when there are too many, and never the root', () => {
    const levels = new LogLevels({ root: 'INFO', clock });
    for (let index = 0; index < 1_001; index += 1) levels.set(`connector.${index}`, 'DEBUG');

    const names = [...levels.all().keys()];

    expect([names.length, names[0], names[1]]).toEqual([1_001, 'root', 'connector.1']);
  });
});

test.each([
  ['text', textLogs],
  ['JSON', jsonLogs],
])('lines of %s follow a level that is set while they are written', async (_what, make) => {
  const lines: string[] = [];
  const levels = new LogLevels({ root: 'INFO', clock });
  const { log } = await make({ levels, nowMs: clock.nowMs, write: (line) => lines.push(line) });

  log('debug', 'before', { connector: 'orders' });
  levels.set('connector.orders', 'DEBUG');
  log('debug', 'after', { connector: 'orders' });
  log('debug', 'elsewhere', { connector: 'others' });

  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('after');
});
