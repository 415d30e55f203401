import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { afterEach, describe, expect, test } from 'vitest';
import { hasEnded, markOf } from '../../adapters/process-mark.ts';

const children: ChildProcess[] = [];

async function aChild(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()']);
  children.push(child);
  await once(child, 'spawn');
  return child as ChildProcess & { readonly pid: number };
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

// Elsewhere no system tells what a mark says: there are none.
describe.runIf(process.platform === 'linux')('process marks', () => {
  test('tell a process that was killed from one that is there', async () => {
    const child = await aChild();
    const mark = markOf(child.pid) ?? '';

    const before = hasEnded(mark);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;

    expect([before, hasEnded(mark)]).toEqual([false, true]);
  });

  test('tell a process from an earlier one of the same number', () => {
    const mark = markOf(process.pid) ?? '';
    const earlier = `${mark.slice(0, mark.lastIndexOf('/'))}/1`;

    expect([hasEnded(mark), hasEnded(earlier)]).toEqual([false, true]);
  });

  test.each([
    ['another boot', (mark: string) => `another${mark.replace(String(process.pid), '999999999')}`],
    ['another namespace', (mark: string) => mark.replace(/pid:.*?\//, 'pid:[1]/')],
    ['no number', (mark: string) => mark.replace(`/${process.pid}/`, '/x/')],
    ['nothing', () => ''],
  ])('are sure of nothing that is from %s', (_, changed) => {
    const mark = markOf(process.pid) ?? '';

    expect(hasEnded(changed(mark))).toBe(false);
  });

  test('are not made of what is not there', () => {
    expect(markOf(999_999_999)).toBeNull();
  });
});
