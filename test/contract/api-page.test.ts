/** The tour of the README with curl does what it says. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';
import { aSortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const ADDRESS = 'http://127.0.0.1:8083';

test('the tour of README.md with curl', async () => {
  const page = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, tour = ''] = /```sh\n(curl .*?)```/s.exec(page) ?? [];
  const { url } = await aSortieProcess(aTemporaryFolder(), { invoker: 'in-process' });

  const answers: string[] = [];
  for (const command of tour.trim().split(/(?<!\\)\n/)) {
    const script = command.replaceAll(ADDRESS, url).replace('curl -s', 'curl -s --fail-with-body');
    answers.push((await promisify(execFile)('sh', ['-c', script])).stdout);
  }

  const [sent, topic, , created, drained, connectors, shards, why, runs, events] = answers;
  const json = (text = ''): unknown => JSON.parse(text);
  expect(json(sent)).toMatchObject({ accepted: 2, refused: [] });
  expect(json(topic)).toMatchObject({ topic: 'orders', queues: { length: 8 } });
  expect(json(created)).toMatchObject({ name: 'drop', type: 'sink' });
  expect(json(drained)).toMatchObject({ state: 'drained' });
  expect(json(connectors)).toMatchObject([{ connector: 'drop', backlogRecords: 0 }]);
  expect(json(shards)).toMatchObject({ shards: { length: 8 } });
  expect(json(why)).toMatchObject({ leads: true, shards: { length: 8 } });
  expect(json(runs)).toMatchObject({ runs: expect.any(Array) });
  expect(events).toMatch(/^event: listening\ndata: \{"event":"listening","leads":true\}\n/);
}, 60_000);
