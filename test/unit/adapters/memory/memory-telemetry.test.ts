import { describe, expect, test } from 'vitest';
import { MemoryTelemetry } from '../../../../adapters/memory/memory-telemetry.ts';

describe('MemoryTelemetry', () => {
  test('sums a counter over all series that bear the labels asked for', () => {
    const telemetry = new MemoryTelemetry();
    telemetry.count('records', { connector: 'a', shard: '0' });
    telemetry.count('records', { shard: '1', connector: 'a' }, 4);
    telemetry.count('records', { connector: 'b', shard: '0' }, 10);
    telemetry.count('others', { connector: 'a', shard: '0' }, 100);

    expect(telemetry.counter('records', { connector: 'a' })).toBe(5);
    expect(telemetry.counter('records', { shard: '1', connector: 'a' })).toBe(4);
    expect(telemetry.counter('records')).toBe(15);
    expect(telemetry.counter('never counted')).toBe(0);
  });

  test('forgets what was counted of a connector', () => {
    const telemetry = new MemoryTelemetry();
    telemetry.count('records', { connector: 'a', shard: '0' });
    telemetry.count('records', { connector: 'b', shard: '0' });

    telemetry.forget('a');

    expect(telemetry.counter('records')).toBe(1);
  });

  test('keeps the newest 10,000 entries of each kind', () => {
    const telemetry = new MemoryTelemetry();
    for (let entry = 0; entry < 10_001; entry += 1) {
      telemetry.observe('sortie_invocation_seconds', {}, entry);
      telemetry.log('info', `entry ${entry}`, {});
    }

    expect(telemetry.observations('sortie_invocation_seconds')).toHaveLength(10_000);
    expect(telemetry.observations('sortie_invocation_seconds')[0]).toBe(1);
    expect(telemetry.logs).toHaveLength(10_000);
    expect(telemetry.logs.at(-1)).toEqual({ level: 'info', message: 'entry 10000', fields: {} });
  });
});
