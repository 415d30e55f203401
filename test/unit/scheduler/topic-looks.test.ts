import { describe, expect, test } from 'vitest';
import { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import type { LogBroker } from '../../../core/ports.ts';
import { TopicLooks } from '../../../scheduler/topic-looks.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RunningClock } from '../../support/running-clock.ts';

/** Topics `topic-0`, `topic-1`, ... of a log, and the looks at them so far. */
function looksAt(topics: number, changed: Partial<LogBroker> = {}) {
  const clock = new ManualClock();
  const log = new MemoryLogBroker({ clock });
  const names = Array.from({ length: topics }, (_, index) => `topic-${index}`);
  for (const name of names) log.createTopic(name, { queues: 1 });
  const looks = new TopicLooks({ broker: brokerWith(log, changed), clock, telemetry: new MemoryTelemetry() });
  looks.follow(new Map(names.map((name) => [name, null])));
  const seen: string[] = [];
  const look = (max: number): Promise<number> => looks.look(max, ({ topic }) => seen.push(topic));
  return { clock, looks, look, seen };
}

describe('TopicLooks', () => {
  test('looks first at what is about to be read, of those that nobody has looked at', async () => {
    const { looks, look, seen } = looksAt(4);
    looks.unwatched('topic-1');
    looks.heat('topic-3');

    await look(3);

    expect(seen).toEqual(['topic-3', 'topic-1', 'topic-0']);
  });

  test('looks at a hot topic and a wanted one before many that nobody watches', async () => {
    const { clock, looks, look, seen } = looksAt(100);
    await look(100);
    for (let index = 0; index < 100; index += 1) looks.unwatched(`topic-${index}`);
    clock.advance(60_000);
    await look(40);
    looks.heat('topic-7');
    looks.want('topic-8');
    seen.length = 0;

    clock.advance(2_000);
    await look(3);

    expect(seen).toEqual(['topic-7', 'topic-8', 'topic-40']);
  });

  test('looks at a hot topic about every two seconds, however many nobody watches', async () => {
    const { clock, looks, look, seen } = looksAt(5_000);
    await look(5_000);
    seen.length = 0;

    for (let second = 0; second < 200; second += 1) {
      for (const topic of ['topic-0', 'topic-1']) looks.heat(topic);
      for (let index = 2; index < 5_000; index += 1) looks.unwatched(`topic-${index}`);
      clock.advance(1_000);
      await look(50);
    }

    expect(seen.filter((topic) => topic === 'topic-0').length).toBeGreaterThanOrEqual(90);
    expect(new Set(seen).size).toBe(5_000);
  });

  test('looks at what nobody watches too, where more is hot than can be looked at', async () => {
    const { clock, looks, look, seen } = looksAt(200);
    await look(200);
    seen.length = 0;

    for (let second = 0; second < 300; second += 1) {
      for (let index = 0; index < 190; index += 1) looks.heat(`topic-${index}`);
      for (let index = 190; index < 200; index += 1) looks.unwatched(`topic-${index}`);
      clock.advance(1_000);
      await look(10);
    }

    expect(new Set(seen).size).toBe(200);
  });

  test('looks at once at a topic that somebody else reads too, however lately it was looked at', async () => {
    const { clock, looks, look, seen } = looksAt(2);
    await look(2);
    looks.heat('topic-0');
    clock.advance(10);
    seen.length = 0;

    looks.newlyRead('topic-1');
    await look(2);

    expect(seen).toEqual(['topic-1']);
  });

  test('counts looks that failed, and ends a round in which many do', async () => {
    let asked = 0;
    const { look } = looksAt(100, {
      queues: async () => {
        asked += 1;
        throw brokerUnavailable();
      },
    });

    const looks = await look(100);

    expect(looks).toBe(asked);
    expect(asked).toBeLessThan(20);
  });

  test('looks at the others while some topics cannot be looked at', async () => {
    const { clock, look, seen } = looksAt(60, {
      bounds: async ([queue]) => {
        if (Number(queue?.topic.slice('topic-'.length)) < 30) throw brokerUnavailable();
        return [null];
      },
    });

    for (let round = 0; round < 20; round += 1) {
      await look(50);
      clock.advance(1_000);
    }

    expect(new Set(seen).size).toBe(30);
  });

  test('asks less and less often for a topic that cannot be looked at', async () => {
    const askedAtMs: number[] = [];
    const { clock, look } = looksAt(1, {
      queues: async () => {
        askedAtMs.push(clock.monotonicMs());
        throw brokerUnavailable();
      },
    });

    for (let half = 0; half < 120; half += 1) {
      await look(1);
      clock.advance(500);
    }

    const pausesMs = askedAtMs.slice(1).map((atMs, index) => atMs - (askedAtMs[index] as number));
    expect(pausesMs.slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  test('looks at the others while some topics take long, and sees these whenever they answer', async () => {
    const clock = new RunningClock();
    const log = new MemoryLogBroker({ clock });
    const names = Array.from({ length: 30 }, (_, index) => `topic-${index}`);
    for (const name of names) log.createTopic(name, { queues: 1 });
    const isSlow = (topic: string): boolean => Number(topic.slice('topic-'.length)) < 7;
    let asking = 0;
    let askingMax = 0;
    const broker = brokerWith(log, {
      queues: async (topic) => {
        asking += isSlow(topic) ? 1 : 0;
        askingMax = Math.max(askingMax, asking);
        if (isSlow(topic)) await clock.sleep(29_000);
        asking -= isSlow(topic) ? 1 : 0;
        return log.queues(topic);
      },
    });
    const looks = new TopicLooks({ broker, clock, telemetry: new MemoryTelemetry() });
    looks.follow(new Map(names.map((name) => [name, null])));
    const seen: { readonly topic: string; readonly atMs: number }[] = [];

    while (clock.monotonicMs() < 120_000) {
      for (const name of names) looks.want(name);
      await looks.look(50, ({ topic }) => seen.push({ topic, atMs: clock.monotonicMs() }));
      await clock.sleep(1_000);
    }

    const firstAtMs = new Map(seen.toReversed().map(({ topic, atMs }) => [topic, atMs]));
    const quick = names.filter((name) => !isSlow(name));
    expect(Math.max(...quick.map((name) => firstAtMs.get(name) ?? Number.POSITIVE_INFINITY))).toBeLessThan(2_000);
    expect(Math.min(...quick.map((name) => seen.filter(({ topic }) => topic === name).length))).toBeGreaterThan(50);
    expect(names.filter((name) => !firstAtMs.has(name))).toEqual([]);
    expect(askingMax).toBe(7);
  });

  test('says nothing of a look that was under way when it was closed', async () => {
    const clock = new RunningClock();
    const telemetry = new MemoryTelemetry();
    const broker = brokerWith(new MemoryLogBroker({ clock }), {
      queues: async () => {
        await clock.sleep(29_000);
        throw brokerUnavailable();
      },
    });
    const looks = new TopicLooks({ broker, clock, telemetry });
    looks.follow(new Map([['orders', null]]));
    await looks.look(1, () => undefined);

    looks.close();
    await clock.sleep(60_000);

    expect(telemetry.logs).toEqual([]);
  });
});
