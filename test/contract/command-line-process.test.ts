/** The command line as a process of its own: the tour of the README, and how it ends. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';
import { aSortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const SORTIE = `'${process.execPath}' cli/sortie.mjs`;

function shell(script: string, url: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return promisify(execFile)('sh', ['-c', script], { cwd: ROOT, env: { ...process.env, SORTIE_URL: url } });
}

test('the tour of README.md', async () => {
  const [, tour = ''] = /```sh\n(npm run -s sortie .*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  const folder = aTemporaryFolder();
  const { url } = await aSortieProcess(join(folder, 'sortie-data'), { invoker: 'in-process', folder });

  const answers: string[] = [];
  for (const line of tour.trim().split('\n')) {
    answers.push((await shell(line.replace('npm run -s sortie --', SORTIE), url)).stdout);
    if (line.includes('run tour-files')) expect(linesBelow(join(folder, 'sortie-data', 'tour-files'))).toBe(1_000);
  }

  const [plan, applied, filled, emptied, list, peeked, why, runs, watched, deleted] = answers;
  expect(plan).toContain('2 to create, 0 to change, 0 unchanged; to do exactly this: sortie apply -f examples/tour --plan ');
  expect(applied).toBe('tour-files: created\ntour-numbers: created\n');
  expect(filled).toBe('tour-numbers: drained\n');
  expect(emptied).toBe('tour-files: drained\n');
  expect(list).toMatch(/^NAME .*\ntour-files +sink +file-sink +RUNNING +2 RUNNING\ntour-numbers +source /);
  expect(peeked?.split('\n')).toHaveLength(5);
  expect(why).toMatch(/^tour-files: RUNNING\n/);
  expect(runs).toMatch(/^ENDED .*\n/);
  expect(watched).toContain('tour-files RUNNING backlog=0');
  expect(deleted).toBe('tour-files: deleted\ntour-numbers: deleted\n');
}, 90_000);

test('without a server ends with exit code 3, and one JSON document where that was asked for', async () => {
  const ended = shell(`${SORTIE} list --json`, 'http://127.0.0.1:9');

  await expect(ended).rejects.toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^\{"error":\{"message":"no answer from http:\/\/127\.0\.0\.1:9: .*\}\}\n$/),
    stderr: expect.stringMatching(/^sortie: no answer from http:\/\/127\.0\.0\.1:9: .*; next: start it with `sortie start`/),
  });
});

test('of a word that is no command ends with exit code 2, and says what is meant', async () => {
  await expect(shell(`${SORTIE} lsit`, '')).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: "sortie: unknown command 'lsit'\n(Did you mean list?)\n  next: add --help to see what there is\n",
  });
});

function linesBelow(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
  return files.reduce((lines, name) => lines + readFileSync(join(folder, name), 'utf8').split('\n').length - 1, 0);
}
