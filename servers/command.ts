import { spawn } from 'node:child_process';

/** What a failure shows of its output. */
const OUTPUT_CHARACTERS_MAX = 2_000;

/** Runs a command to its end. @throws {Error} with the end of what it printed, when it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  { input = '' }: { readonly input?: string } = {},
): Promise<void> {
  const child = spawn(command, args, { stdio: 'pipe' });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // Whoever ends early says so by its exit code.
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} failed (exit ${code}):\n${output}`));
    });
  });
}
