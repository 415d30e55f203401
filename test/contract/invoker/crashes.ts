import { expect } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { isHolderOf } from '../../../core/owner.ts';
import type { Case } from '../cases.ts';
import { hostOf, type InvokerUnderTest } from './invoker-under-test.ts';

/** What a plugin does to its host, and what becomes of the others. */
export function crashes(check: Case<InvokerUnderTest>): void {
  check('terminates an invocation that is stuck past its limit, while those in other hosts go on', ['hosts'], async (subject) => {
    const [stuck, other] = [await subject.connector('spins'), await subject.connector('waits')];
    const invoker = await subject.invoker({ hostsMax: 2, slotsPerHost: 2, limitMs: 1_000 });

    const running = [invoker.invoke(stuck.offer()), invoker.invoke(other.offer())] as const;
    const end = await running[0];
    const [holder] = await stuck.holders();
    const going = await running[1];
    subject.release();
    const next = await invoker.invoke(other.offer());

    assert(end.kind === 'died' && end.owner !== null, `it ${end.kind}`);
    expect(end.message).toMatch(/did not end within its 1000 ms, so its (thread|process) was terminated/);
    expect(isHolderOf(end.owner, holder?.owner ?? '')).toBe(true);
    // It ended itself, for it had no time for a put, in a host that serves on.
    expect([going.kind, next.kind]).toEqual(['completed', 'completed']);
    const hosts = subject.marks().flatMap((mark) => (mark.connector === other.name ? [hostOf(mark)] : []));
    expect(new Set(hosts).size).toBe(1);
    expect(invoker.freeSlots()).toBe(4);
    expect(subject.telemetry.logs.filter(({ level }) => level === 'error')).toMatchObject([
      { message: end.message, fields: { connector: stuck.name } },
    ]);
  });

  check('says of every invocation in a host that ended that it died, each with its owner', ['hosts'], async (subject) => {
    const waiting = [await subject.connector('waits'), await subject.connector('waits')];
    const culprit = await subject.connector('exits');
    const invoker = await subject.invoker({ hostsMax: 2, slotsPerHost: 2 });
    const running = waiting.map((connector) => invoker.invoke(connector.offer()));
    await subject.untilMarked('put', 2);

    const died = await invoker.invoke(culprit.offer());
    const puts = subject.marks('put');
    const host = puts.filter(({ connector }) => connector === culprit.name).map(hostOf)[0];
    const { connector: where } = puts.find((mark) => hostOf(mark) === host) ?? expect.fail();
    subject.release();
    const [bystander, survivor] = waiting[0]?.name === where ? [0, 1] : [1, 0];
    const ends = await Promise.all(running);
    const holders = await waiting[bystander]?.holders();

    const beside = ends[bystander];
    assert(died.kind === 'died' && beside?.kind === 'died', `they ${died.kind} and ${beside?.kind}`);
    expect(died.message).toMatch(/the (thread|process) it ran in has ended: it exited with code 7/);
    expect(beside.message).toBe(died.message);
    expect(holders?.map(({ owner }) => isHolderOf(beside.owner ?? '', owner))).toEqual([true]);
    expect(beside.owner).not.toBe(died.owner);
    expect(ends[survivor]?.kind).toBe('completed');
  });

  check('runs what ended with its host alone, until it has got on', ['hosts'], async (subject) => {
    const [bystander, culprit] = [await subject.connector('waits'), await subject.connector('exits')];
    const invoker = await subject.invoker({ hostsMax: 1, slotsPerHost: 4 });
    const first = invoker.invoke(bystander.offer());
    await subject.untilMarked('put');
    const together = [await invoker.invoke(culprit.offer()), await first];
    const ended = [await bystander.holders(), await culprit.holders()] as const;

    const again = [invoker.invoke(bystander.offer(ended[0])), invoker.invoke(culprit.offer(ended[1]))];
    const [waiting] = (await subject.untilMarked('put', 3)).slice(2);
    const other = await invoker.invoke((await subject.connector('takes')).offer());
    subject.release();
    const alone = await Promise.all(again);
    const at = subject.marks('opened');

    expect(together.map(({ kind }) => kind)).toEqual(['died', 'died']);
    expect(waiting?.connector).toBe(bystander.name);
    expect(other.kind).toBe('completed');
    expect(alone).toMatchObject([{ kind: 'completed', result: { run: { counts: { delivered: 3 } } } }, { kind: 'died' }]);
    expect(at.map(({ connector }) => connector).slice(2)).toEqual([
      bystander.name,
      expect.stringMatching(/^takes/),
      culprit.name,
    ]);
  });

  check('says what a plugin threw where nobody listened', ['hosts'], async (subject) => {
    const connector = await subject.connector('throws-later');
    const invoker = await subject.invoker({ hostsMax: 1 });

    const end = await invoker.invoke(connector.offer());
    const next = await invoker.invoke((await subject.connector('takes')).offer());

    expect(end).toMatchObject({ kind: 'died', message: expect.stringContaining('thrown when nobody listens') });
    expect(next.kind).toBe('completed');
  });
}
