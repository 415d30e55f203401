import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { Case } from '../cases.ts';
import { hostOf, type InvokerUnderTest } from './invoker-under-test.ts';

/** When threads or processes are started, which one gets an offer, and when they are stopped. */
export function hosts(check: Case<InvokerUnderTest>): void {
  check('starts another host when all are busy, up to its maximum', ['hosts'], async (subject) => {
    const connectors = await Promise.all(Array.from({ length: 4 }, () => subject.connector('waits')));
    const invoker = await subject.invoker({ hostsMax: 2, slotsPerHost: 2 });

    const ends = connectors.map((connector) => invoker.invoke(connector.offer()));
    const marks = await subject.untilMarked('put', 4);
    subject.release();
    const kinds = (await Promise.all(ends)).map(({ kind }) => kind);

    const perHost = Map.groupBy(marks, hostOf);
    expect([...perHost.values()].map(({ length }) => length)).toEqual([2, 2]);
    expect(kinds).toEqual(['completed', 'completed', 'completed', 'completed']);
  });

  check('starts no second host for what comes one after the other', ['hosts'], async (subject) => {
    const connectors = [await subject.connector('takes'), await subject.connector('takes')];
    const invoker = await subject.invoker({ hostsMax: 2 });

    for (const connector of connectors) await invoker.invoke(connector.offer());

    expect(new Set(subject.marks('put').map(hostOf)).size).toBe(1);
  });

  check('invokes a shard where its writer is warm, unless that host is busy and another is not', ['hosts'], async (subject) => {
    const [one, other] = [await subject.connector('waits'), await subject.connector('waits')];
    const invoker = await subject.invoker({ hostsMax: 2 });
    const both = [invoker.invoke(one.offer()), invoker.invoke(other.offer())];
    await subject.untilMarked('put', 2);
    subject.release();
    await Promise.all(both);

    for (const { offer } of [one, other, one, one, other]) await invoker.invoke(offer());
    const whileWarm = subject.marks('opened').length;
    // Two at once: the second one does not wait for the host of the first.
    await Promise.all([invoker.invoke(one.offer()), invoker.invoke(one.offer())]);

    expect(whileWarm).toBe(2);
    expect(new Set(subject.marks('opened').map(hostOf)).size).toBe(2);
  });

  check('stops a host that has nothing to do, and starts a new one later', ['hosts'], async (subject) => {
    const connector = await subject.connector('takes');
    const invoker = await subject.invoker({ hostsMax: 1, idleMs: 1 });

    await invoker.invoke(connector.offer());
    const [closed] = await subject.untilMarked('closed');
    const again = await subject.connector('takes');
    await vi.waitFor(async () => expect((await invoker.invoke(again.offer())).kind).toBe('completed'), { timeout: 20_000 });

    expect(new Set(subject.marks('put').map(hostOf)).size).toBe(2);
    expect(hostOf(subject.marks('put')[0] ?? expect.fail())).toBe(closed === undefined ? '' : hostOf(closed));
  });

  check('lets what runs end when it is closed, and refuses the rest', ['hosts'], async (subject) => {
    const connector = await subject.connector('waits');
    const { invoker, close } = await subject.open();
    const running = invoker.invoke(connector.offer());
    await subject.untilMarked('put');

    const closing = close();
    const refused = await invoker.invoke(connector.offer());
    const free = invoker.freeSlots();
    subject.release();
    const end = await running;
    await closing;

    expect([end.kind, refused, free]).toEqual(['completed', { kind: 'refused', message: 'the invoker is closed' }, 0]);
    expect(subject.marks('closed')).toHaveLength(1);
  });

  check('says why no host can be started, waits between attempts, and goes on once it is mended', ['hosts'], async (subject) => {
    const blocked = join(subject.dataFolder, 'blocked');
    writeFileSync(blocked, 'a file where the data folder should be');
    const connector = await subject.connector('takes');
    const { invoker } = await subject.open({ hostsMax: 2 }, blocked);

    const [first, waiting] = await Promise.all([invoker.invoke(connector.offer()), invoker.invoke(connector.offer())]);
    const free = invoker.freeSlots();
    const meanwhile = await invoker.invoke(connector.offer());
    rmSync(blocked);
    mkdirSync(blocked);
    const settled = vi.waitFor(async () => expect((await invoker.invoke(connector.offer())).kind).toBe('completed'), {
      timeout: 20_000,
      interval: 50,
    });
    await settled;

    for (const end of [first, waiting, meanwhile]) {
      expect(end).toMatchObject({ kind: 'refused', message: expect.stringContaining(join(blocked, 'state.db')) });
    }
    expect(free).toBe(0);
    expect(subject.telemetry.logs).toContainEqual({
      level: 'error',
      message: expect.stringMatching(/^no (thread|process) of .*local\.ts can be started: .*next: .* ms$/),
      fields: expect.anything(),
    });
  });
}
