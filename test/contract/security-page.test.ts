/** The commands of `docs/security.md` do what the page says. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const SORTIE = `"${process.execPath}" "${join(ROOT, 'cli/main.ts')}"`;

const hasOpenSsl = spawnSync('openssl', ['version']).status === 0;

test.runIf(hasOpenSsl)(
  'the commands of docs/security.md',
  async () => {
    const cwd = aTemporaryFolder();
    const [first = '', second = ''] = blocksOfPage();
    const [startCommand = '', ...making] = first
      .trim()
      .split(/(?<!\\)\n/)
      .reverse();
    const [environment = '', ...asking] = second.trim().split('\n');

    for (const command of making.reverse()) await run(command, { cwd });
    const url = await started(startCommand, cwd);
    const answers: string[] = [];
    for (const command of asking)
      answers.push(await run(`${environment}\n${command}`.replaceAll('https://127.0.0.1:8083', url), { cwd }));

    const refusal = '{"error_code":401,"message":"This needs an API key that is known here"}';
    expect(answers).toEqual(['no connectors\n', '[]', '[]', refusal]);
  },
  60_000,
);

function blocksOfPage(): readonly string[] {
  const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  return [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, commands = '']) => commands);
}

async function run(command: string, { cwd }: { readonly cwd: string }): Promise<string> {
  const script = command.replaceAll('npm run -s sortie --', SORTIE);
  return (await promisify(execFile)('sh', ['-c', script], { cwd })).stdout;
}

/** On this machine alone, and a port that is free. */
async function started(command: string, cwd: string): Promise<string> {
  const script = command.replace('npm run -s sortie --', `exec ${SORTIE}`).replace('0.0.0.0', '127.0.0.1');
  const child = spawn('sh', ['-c', `${script} --port 0 --json`], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return (JSON.parse(line) as { readonly url: string }).url;
}
