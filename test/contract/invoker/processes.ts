import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { expect, vi } from 'vitest';
import { hasEndedWithHosts } from '../../../adapters/invoke/host-marks.ts';
import { hasEnded, markOf } from '../../../adapters/process-mark.ts';
import { assert } from '../../../core/assert.ts';
import { isHolderOf } from '../../../core/owner.ts';
import type { Case } from '../cases.ts';
import type { InvokerUnderTest } from './invoker-under-test.ts';

/** What only processes can do to each other. */
export function processes(check: Case<InvokerUnderTest>): void {
  check('says whose claims died with a process that was killed', ['processes'], async (subject) => {
    const connector = await subject.connector('waits');
    const invoker = await subject.invoker({ hostsMax: 1 });
    const running = invoker.invoke(connector.offer());
    const [mark] = await subject.untilMarked('put');

    process.kill(mark?.pid ?? 0, 'SIGKILL');
    const end = await running;
    const [holder] = await connector.holders();
    subject.release();
    const again = await invoker.invoke(connector.offer(holder === undefined ? [] : [holder]));

    assert(end.kind === 'died' && end.owner !== null, `it ${end.kind}`);
    expect(end.message).toBe('the process it ran in has ended: it was ended by SIGKILL');
    expect(isHolderOf(end.owner, holder?.owner ?? '')).toBe(true);
    expect(again).toMatchObject({ kind: 'completed', result: { run: { counts: { delivered: 3 } } } });
  });

  check('ends soon after its parent, also while a plugin never lets go of its thread', ['processes'], async (subject) => {
    const offers = [(await subject.connector('spins')).offer(), (await subject.connector('waits')).offer()];
    const parent = fork(new URL('parent-process.ts', import.meta.url), { execArgv: [] });
    parent.send({ dataFolder: subject.dataFolder, offers });
    const pids = (await subject.untilMarked('opened', 2)).map(({ pid }) => pid);

    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000, interval: 5 });

    expect(new Set(pids).size).toBe(2);
  });

  // Elsewhere no system tells what a mark says.
  if (process.platform === 'linux') {
    check('lets whoever comes after its parent know when the last of its processes has ended', ['processes'], async (subject) => {
      const offers = [(await subject.connector('waits')).offer(), (await subject.connector('waits')).offer()];
      const parent = fork(new URL('parent-process.ts', import.meta.url), { execArgv: [] });
      const mark = markOf(parent.pid ?? 0) ?? '';
      const haveEnded = () => hasEndedWithHosts(subject.dataFolder, mark);
      parent.send({ dataFolder: subject.dataFolder, offers });
      const pids = new Set((await subject.untilMarked('opened', 2)).map(({ pid }) => pid));
      const [slow = 0] = pids;

      process.kill(slow, 'SIGSTOP');
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await vi.waitFor(() => expect([...pids].filter(isAlive)).toEqual([slow]), { timeout: 20_000, interval: 5 });
      const whileOneIsLeft = [hasEnded(mark), haveEnded()];
      process.kill(slow, 'SIGCONT');

      expect(whileOneIsLeft).toEqual([true, false]);
      await vi.waitFor(() => expect(haveEnded()).toBe(true), { timeout: 20_000, interval: 5 });
      expect(pids.size).toBe(2);
    });
  }

  check('lets a plugin see nothing of the environment but what every plugin may need', ['processes'], async (subject) => {
    vi.stubEnv('TARGET_PASSWORD', 'secret');
    vi.stubEnv('TZ', 'UTC');
    const connector = await subject.connector('takes');
    const invoker = await subject.invoker();

    await invoker.invoke(connector.offer());

    const seen = subject.marks()[0]?.env ?? [];
    const harmless = ['NODE_COMPILE_CACHE', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
    expect(seen).toContain('TZ');
    expect(seen.filter((name) => !harmless.includes(name))).toEqual([]);
  });
}

/** A process that has ended but was not waited for yet still has its number. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
