import { expect } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { isHolderOf } from '../../../core/owner.ts';
import type { Case } from '../cases.ts';
import type { InvokerUnderTest } from './invoker-under-test.ts';

/** How an invocation ends, and what is heard of it. */
export function ends(check: Case<InvokerUnderTest>): void {
  check('brings back what the invocation answers', [], async (subject) => {
    const connector = await subject.connector('takes');
    const invoker = await subject.invoker();
    const offer = connector.offer();

    const end = await invoker.invoke(offer);

    assert(end.kind === 'completed', `it ${end.kind}`);
    expect(end.result.run).toMatchObject({ offerId: offer.id, outcome: 'drained', counts: { delivered: 3 } });
    expect(end.result.run.owner).toMatch(new RegExp(`^${offer.id}/`));
    expect(end.result.cursor).not.toBeNull();
  });

  check('says whose claim died when an invocation throws, so that it is claimed again at once', [], async (subject) => {
    const connector = await subject.connector('asserts');
    const invoker = await subject.invoker();

    const first = await invoker.invoke(connector.offer());
    const [holder] = await connector.holders();
    const second = await invoker.invoke(connector.offer([holder ?? { owner: 'nobody', epoch: 0, isGone: true }]));

    assert(first.kind === 'died' && first.owner !== null, `it ${first.kind}`);
    expect(first.message).toBe('the plugin asserts');
    expect(isHolderOf(first.owner, holder?.owner ?? '')).toBe(true);
    // It claimed, and died of the same.
    expect(second).toMatchObject({ kind: 'died', message: 'the plugin asserts' });
  });

  check('repeats what an invocation tells its telemetry', [], async (subject) => {
    const connector = await subject.connector('takes');
    const { invoker, close } = await subject.open();

    const end = await invoker.invoke(connector.offer());
    await close();

    assert(end.kind === 'completed', `it ${end.kind}`);
    const { telemetry } = subject;
    expect(telemetry.runs).toEqual([end.result.run]);
    expect(telemetry.counter('puts', { connector: connector.name })).toBe(1);
    expect(telemetry.logs).toMatchObject([{ level: 'info', message: 'a put begins', fields: { connector: connector.name } }]);
  });

  check('refuses what goes beyond its slots, runs nothing of it, and counts what is free', [], async (subject) => {
    const connectors = [await subject.connector('waits'), await subject.connector('takes')] as const;
    const invoker = await subject.invoker({ hostsMax: 1, slotsPerHost: 1 });

    const before = invoker.freeSlots();
    const running = invoker.invoke(connectors[0].offer());
    const during = invoker.freeSlots();
    const refused = await invoker.invoke(connectors[1].offer());
    subject.release();
    const end = await running;

    expect(refused).toEqual({ kind: 'refused', message: 'all 1 slots are taken' });
    expect(end.kind).toBe('completed');
    expect([before, during, invoker.freeSlots()]).toEqual([1, 0, 1]);
    expect(subject.marks('put').map(({ connector }) => connector)).toEqual([connectors[0].name]);
  });
}
