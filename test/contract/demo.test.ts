/** `npm run demo`, as far as it is no matter of a minute. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { assert } from '../../core/assert.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

/** To whom a terminal sends it when somebody presses Ctrl-C, and to whom a service manager. */
const SIGNALS = [
  { name: 'SIGINT', whom: 'group', exitCode: 130 },
  { name: 'SIGTERM', whom: 'process', exitCode: 143 },
] as const;

/** What it tells, in this order, of where it has come to. */
const MOMENTS = [/a shop with .* rows is in/, /Sortie runs at/, /three connectors .* are applied/];

describe('npm run demo', () => {
  for (const { name, whom, exitCode } of SIGNALS) {
    test.each(MOMENTS)(
      `leaves nothing behind when ${name} ends it after it has told: %s`,
      async (moment) => {
        const folder = aTemporaryFolder();
        const { pid, said, ended } = aDemo(folder);
        await vi.waitFor(() => expect(said).toContainEqual(expect.stringMatching(moment)), { timeout: 30_000, interval: 5 });

        process.kill(whom === 'group' ? -pid : pid, name);
        const code = await ended;

        expect(code).toBe(exitCode);
        expect(said.filter((line) => /^ +at /.test(line))).toEqual([]);
        expect(readdirSync(folder)).toEqual([]);
        expect(endGroup(pid)).toBe(false);
      },
      60_000,
    );
  }
});

describe('npm run demo, refused', () => {
  test('says what it lacks for a RocketMQ, with exit code 3', async () => {
    const { said, code } = await refused(['--broker', 'rocketmq'], { PATH: aTemporaryFolder() });

    expect([code, said]).toEqual([3, expect.stringMatching(/^java and mvn cannot be started; .*apt-get install .*\n$/)]);
  });

  test.each([[['--broker', 'kafka']], [['--speed']]])('says how it is used where it does not understand %j', async (args) => {
    const { said, code } = await refused(args, {});

    expect([code, said]).toEqual([
      2,
      'usage: npm run demo -- [--source sqlite|mysql|mariadb] [--broker embedded|rocketmq] [--json] [--keep]\n',
    ]);
  });
});

async function refused(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ said: string; code: unknown }> {
  const demo = spawn(process.execPath, [DEMO, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, [code]] = await Promise.all([text(demo.stderr), once(demo, 'exit') as Promise<[unknown]>]);
  return { said, code };
}

/** In a group of its own, as a shell gives it. `folder`: for its temporary files. */
function aDemo(folder: string): { readonly pid: number; readonly said: readonly string[]; readonly ended: Promise<unknown> } {
  const demo = spawn(process.execPath, [DEMO], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const { pid } = demo;
  assert(pid !== undefined, 'it was started');
  onTestFinished(() => void endGroup(pid));
  const said: string[] = [];
  createInterface({ input: demo.stderr }).on('line', (line) => said.push(line));
  return { pid, said, ended: once(demo, 'close').then(([code]: unknown[]) => code) };
}

/** Whether there was anything left of it. */
function endGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 'SIGKILL');
  } catch {
    return false;
  }
}
