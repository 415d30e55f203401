import { expect, vi } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { isHolderOf } from '../../../core/owner.ts';
import { JumpingClock } from '../../support/jumping-clock.ts';
import type { Case } from '../cases.ts';
import { hostOf, type InvokerUnderTest } from './invoker-under-test.ts';

/** Far beyond the time that anything here takes, so that nothing ends of it. */
const NEVER_MS = 600_000;

/** An invocation that never lets go of the thread it shares with others. */
export function silence(check: Case<InvokerUnderTest>): void {
  check('ends a host that one of its invocations never lets go of, long before the limit of any', ['hosts'], async (subject) => {
    const [bystander, culprit] = [await subject.connector('waits'), await subject.connector('spins')];
    const invoker = await subject.invoker({ hostsMax: 1, slotsPerHost: 2, limitMs: NEVER_MS, silenceMs: 500 });
    const beside = invoker.invoke(bystander.offer());
    await subject.untilMarked('put');

    const ends = await Promise.all([invoker.invoke(culprit.offer()), beside]);
    const holders = await Promise.all([culprit.holders(), bystander.holders()]);
    subject.release();
    const again = await invoker.invoke(bystander.offer(holders[1]));

    for (const [index, end] of ends.entries()) {
      assert(end.kind === 'died' && end.owner !== null, `it ${end.kind}`);
      expect(end.isGone).toBe(true);
      expect(end.message).toMatch(/^one of the invocations of .* did not let go of its (thread|process) for 500 ms, so that was/);
      expect(end.message).toContain(culprit.name);
      expect(isHolderOf(end.owner, holders[index]?.[0]?.owner ?? '')).toBe(true);
    }
    expect(again).toMatchObject({ kind: 'completed', result: { run: { counts: { delivered: 3 } } } });
    expect(subject.telemetry.logs.filter(({ level }) => level === 'error')).toMatchObject([
      { message: ends[0].kind === 'died' && ends[0].message, fields: { invocations: 2 } },
    ]);
  });

  check('lets a host go on that answers, however long its invocations take', ['hosts'], async (subject) => {
    const connector = await subject.connector('waits');
    const clock = new JumpingClock();
    const invoker = await subject.invoker({ hostsMax: 1, limitMs: NEVER_MS, silenceMs: 3_500, clock });
    const running = invoker.invoke(connector.offer());
    await subject.untilMarked('put');

    for (let seconds = 0; seconds < 6; seconds += 1) await second(clock);
    subject.release();

    expect((await running).kind).toBe('completed');
  });

  check('ends nothing because the whole process, or the machine, has slept', ['hosts'], async (subject) => {
    const connector = await subject.connector('waits');
    const clock = new JumpingClock();
    const invoker = await subject.invoker({ hostsMax: 1, clock });
    const running = invoker.invoke(connector.offer());
    await subject.untilMarked('put');

    clock.jump(3_600_000);
    await looks(clock);
    subject.release();

    expect((await running).kind).toBe('completed');
  });

  check('shares rather a host that answers than one that has not answered lately', ['hosts'], async (subject) => {
    const connectors = await Promise.all((['spins', 'waits', 'waits'] as const).map((does) => subject.connector(does)));
    const clock = new JumpingClock();
    const invoker = await subject.invoker({ hostsMax: 2, slotsPerHost: 2, limitMs: NEVER_MS, silenceMs: 4_000, clock });
    const [culprit, bystander, newcomer] = connectors.map((connector) => connector.offer());
    assert(culprit !== undefined && bystander !== undefined && newcomer !== undefined, 'there are three');
    const ends = [invoker.invoke(culprit), invoker.invoke(bystander)];
    await subject.untilMarked('opened', 2);

    await second(clock);
    await second(clock);
    ends.push(invoker.invoke(newcomer));
    const marks = await subject.untilMarked('put', 2);
    subject.release();

    expect(new Set(marks.map(hostOf)).size).toBe(1);
    expect((await Promise.all(ends)).map(({ kind }) => kind)).toEqual(['died', 'completed', 'completed']);
  });
}

/** For the invoker, which may see a part of it gone by already. */
async function second(clock: JumpingClock): Promise<void> {
  clock.jump(1_000);
  await looks(clock);
}

/** Until the invoker has looked at its hosts, and a host that was asked could answer. */
async function looks(clock: JumpingClock): Promise<void> {
  const sleeps = clock.sleeps + 5;
  await vi.waitFor(() => expect(clock.sleeps).toBeGreaterThanOrEqual(sleeps), { timeout: 20_000, interval: 5 });
}
