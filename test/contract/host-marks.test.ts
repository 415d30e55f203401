import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, test } from 'vitest';
import { hasEndedWithHosts, leaveHostMark, sweepHostMarks } from '../../adapters/invoke/host-marks.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { markOf } from '../../adapters/process-mark.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const children: ChildProcess[] = [];

interface Parent {
  readonly pid: number;
  readonly mark: string;
  end(): Promise<void>;
}

async function aParent(): Promise<Parent> {
  const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()']);
  children.push(child);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  return {
    pid,
    mark: markOf(pid) ?? '',
    end: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

// Elsewhere no system tells what a mark says: there are none.
describe.runIf(process.platform === 'linux')('host marks', () => {
  test('tell that a parent and its host have ended once both have', async () => {
    const folder = aTemporaryFolder();
    const parent = await aParent();
    const remove = leaveHostMark(folder, { startedBy: parent.pid });
    const whileBothAreThere = hasEndedWithHosts(folder, parent.mark);
    await parent.end();
    const whileTheHostIsThere = hasEndedWithHosts(folder, parent.mark);

    remove();

    expect([whileBothAreThere, whileTheHostIsThere, hasEndedWithHosts(folder, parent.mark)]).toEqual([false, false, true]);
  });

  test('of hosts that were killed keep nobody waiting', async () => {
    const folder = aTemporaryFolder();
    const [parent, host] = [await aParent(), await aParent()];
    const remove = leaveHostMark(folder, { startedBy: parent.pid });
    const [ofParent = ''] = readdirSync(join(folder, 'hosts'));
    writeFileSync(join(folder, 'hosts', ofParent, host.mark.replaceAll('/', '~')), '');
    remove();
    await parent.end();
    const before = hasEndedWithHosts(folder, parent.mark);

    await host.end();

    expect([before, hasEndedWithHosts(folder, parent.mark)]).toEqual([false, true]);
  });

  test('are swept once they tell of nobody who is there', async () => {
    const folder = aTemporaryFolder();
    const [gone, there] = [await aParent(), await aParent()];
    leaveHostMark(folder, { startedBy: gone.pid })();
    leaveHostMark(folder, { startedBy: there.pid });
    await gone.end();

    sweepHostMarks(folder, new MemoryTelemetry());

    expect(readdirSync(join(folder, 'hosts'))).toEqual([there.mark.replaceAll('/', '~')]);
  });

  test('are left where they cannot be swept, with a word of it', () => {
    const folder = aTemporaryFolder();
    const telemetry = new MemoryTelemetry();
    writeFileSync(join(folder, 'hosts'), 'a file');

    sweepHostMarks(folder, telemetry);

    expect(telemetry.logs).toMatchObject([{ level: 'warn', message: expect.stringContaining(join(folder, 'hosts')) as string }]);
  });

  test('of a folder that cannot be read say nothing of anybody', async () => {
    const folder = aTemporaryFolder();
    const parent = await aParent();
    writeFileSync(join(folder, 'hosts'), 'a file');
    await parent.end();

    expect(hasEndedWithHosts(folder, parent.mark)).toBe(false);
  });

  test('are swept where there are none', () => {
    const folder = aTemporaryFolder();

    sweepHostMarks(folder, new MemoryTelemetry());

    expect(existsSync(join(folder, 'hosts'))).toBe(false);
  });
});
