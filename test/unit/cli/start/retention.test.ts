import { describe, expect, test } from 'vitest';
import { MemoryTelemetry } from '../../../../adapters/memory/memory-telemetry.ts';
import { keepRetention } from '../../../../cli/start/retention.ts';
import { RunningClock } from '../../../support/running-clock.ts';

describe('keepRetention', () => {
  test('goes on after it failed, says so, and ends when it is told to', async () => {
    const clock = new RunningClock();
    const telemetry = new MemoryTelemetry();
    const ending = new AbortController();
    let applied = 0;

    const kept = keepRetention(
      {
        applyRetention: async () => {
          applied += 1;
          if (applied === 1) throw new Error('the disk is gone');
          if (applied === 3) ending.abort();
        },
      },
      { clock, telemetry },
      ending.signal,
    );
    await kept;

    expect(applied).toBe(3);
    expect(telemetry.logs.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'retention could not be applied: the disk is gone'],
    ]);
  });
});
