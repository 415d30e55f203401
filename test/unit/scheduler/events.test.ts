import { describe, expect, test } from 'vitest';
import { Events } from '../../../scheduler/events.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function someEvents() {
  const clock = new ManualClock();
  return { clock, events: new Events(clock) };
}

describe('Events', () => {
  test('tells each listener of everything from when it listens on, in order', async () => {
    const { events } = someEvents();
    events.connectorChanged('a');
    const listener = events.listen();
    events.connectorChanged('b');
    events.connectorChanged('c');

    expect([await listener?.next(0), await listener?.next(0)]).toMatchObject([{ connector: 'b' }, { connector: 'c' }]);
  });

  test('wakes whoever waits, or says that nothing came', async () => {
    const { clock, events } = someEvents();
    const listener = events.listen();
    const waiting = listener?.next(1_000);
    events.connectorChanged('a');
    const first = await waiting;

    const inVain = listener?.next(1_000);
    clock.advance(1_000);

    expect([first, await inVain]).toMatchObject([{ connector: 'a' }, 'none']);
  });

  test('ends with one that does not take what it is told, and keeps none of it', async () => {
    const { events } = someEvents();
    const slow = events.listen();
    const quick = events.listen();
    for (let count = 0; count < 1_001; count += 1) {
      events.connectorChanged(`${count}`);
      await quick?.next(0);
    }
    events.connectorChanged('last');

    expect([await slow?.next(0), await slow?.next(0)]).toEqual(['too-slow', 'too-slow']);
    expect(await quick?.next(0)).toMatchObject({ connector: 'last' });
  });

  test('takes so many listeners, and another one for each that leaves', () => {
    const { events } = someEvents();
    const [first] = Array.from({ length: 64 }, () => events.listen());

    const another = events.listen();
    first?.close();

    expect(another).toBeNull();
    expect(events.listen()).not.toBeNull();
  });

  test('ends with all when it is closed, and with whoever comes later', async () => {
    const { events } = someEvents();
    const before = events.listen()?.next(1_000);

    events.close();

    expect([await before, await events.listen()?.next(1_000)]).toEqual(['closed', 'closed']);
  });
});
