import { describe, expect, test } from 'vitest';
import { LogLevels } from '../../../../adapters/telemetry/log-levels.ts';
import { jsonLogs, type Logs, type LogsDeps, textLogs } from '../../../../adapters/telemetry/logs.ts';
import { NO_COUNTS, type RunRecord } from '../../../../core/offer.ts';
import type { LogThreshold } from '../../../../core/ports.ts';
import { aShard, NOW_MS } from '../../../support/builders.ts';

const TIME = new Date(NOW_MS).toISOString();

const RUN: RunRecord = {
  offerId: 'offer',
  owner: 'offer/run',
  connector: 'orders',
  shard: aShard,
  startedAtMs: NOW_MS - 250,
  endedAtMs: NOW_MS,
  outcome: 'failed',
  epoch: 41,
  counts: NO_COUNTS,
  error: { code: 'target.unavailable', stage: 'put', message: 'the target is away', position: 'orders/b/0@7' },
};

async function written(
  make: (deps: LogsDeps) => Logs | Promise<Logs>,
  tell: (logs: Logs) => void,
  root: LogThreshold = 'INFO',
): Promise<string> {
  let text = '';
  const logs = await make({
    levels: new LogLevels({ root, clock: { nowMs: () => NOW_MS } }),
    nowMs: () => NOW_MS,
    write: (line) => {
      text += line;
    },
  });
  tell(logs);
  return text;
}

describe.each([
  ['textLogs', textLogs],
  ['jsonLogs', jsonLogs],
])('%s', (_name, make) => {
  test('writes a line before it returns, and none below its level', async () => {
    const text = await written(make, ({ log }) => {
      log('debug', 'a detail', {});
      log('info', 'a fact', {});
      log('error', 'a fault', {});
    });

    expect(text.split('\n')).toEqual([expect.stringContaining('a fact'), expect.stringContaining('a fault'), '']);
  });

  test('never throws, whatever a plugin puts into a line', async () => {
    const circle: Record<string, unknown> = {};
    circle['itself'] = circle;
    const hostile = { toJSON: () => Promise.reject(new Error('never')).catch(() => undefined) };

    const text = await written(make, ({ log }) => {
      log('warn', 'odd', { offset: 7n, cause: new Error('none'), nothing: undefined, hostile });
      log('warn', 'odder', circle);
    });

    expect(text).toContain('none');
    expect(text).toContain('cannot be shown');
    expect(text.trimEnd().split('\n')).toHaveLength(2);
  });

  test('stays one line with texts from elsewhere', async () => {
    const text = await written(make, ({ log }) => log('warn', 'two\nlines', { key: 'a\u001b[2Jb\r\n' }));

    expect(text.trimEnd()).toMatch(/^\P{Cc}+$/u);
  });

  test('tells everybody of an invocation that failed, and of others those who look closely', async () => {
    const { error: _, ...drained } = { ...RUN, outcome: 'drained' as const };
    const both = (logs: Logs): void => {
      logs.run(RUN);
      logs.run(drained);
    };

    expect((await written(make, both)).trimEnd().split('\n')).toEqual([expect.stringContaining('the target is away')]);
    expect((await written(make, both, 'DEBUG')).trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('textLogs', () => {
  test('is for people', async () => {
    const text = await written(textLogs, (logs) => logs.run(RUN));

    expect(text).toBe(
      `${TIME} WARN  an invocation failed: the target is away connector=orders shard=${aShard} epoch=41 owner=offer/run ` +
        'code=target.unavailable stage=put position=orders/b/0@7\n',
    );
  });
});

describe('jsonLogs', () => {
  test('is for machines: connector, shard and epoch are fields', async () => {
    const text = await written(jsonLogs, (logs) => logs.run(RUN));

    expect(JSON.parse(text)).toEqual({
      level: 'warn',
      time: TIME,
      message: 'an invocation failed: the target is away',
      connector: 'orders',
      shard: aShard,
      epoch: 41,
      owner: 'offer/run',
      code: 'target.unavailable',
      stage: 'put',
      position: 'orders/b/0@7',
    });
  });
});
