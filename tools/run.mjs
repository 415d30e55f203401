// The launcher behind every npm script: `node tools/run.mjs TASK [arguments]`.
//
// A fresh clone must work with `npm test` alone, on any machine with Node 20 and npm. So this file is plain JavaScript without
// dependencies, and in this order it
//   1. installs what package-lock.json asks for, when node_modules is something else;
//   2. puts node_modules/.bin first in PATH, where `node` is the pinned Node 24;
//   3. runs the commands of the task (tools/tasks.mjs), stops at the first failure and passes its exit code on.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { InstallError, installMissing } from './install.mjs';
import { ROOT } from './paths.mjs';
import { tasks } from './tasks.mjs';

const BIN = join(ROOT, 'node_modules', '.bin');
const NODE_MAJOR_MIN = 24;

const [taskName = '', ...taskArguments] = process.argv.slice(2);
process.exitCode = await main();

/** @returns {Promise<number>} the exit code */
async function main() {
  if (!Object.hasOwn(tasks, taskName)) {
    return fail(`there is no task '${taskName}'`, `name one of: ${Object.keys(tasks).join(', ')}`, 2);
  }
  try {
    await installMissing({ run });
  } catch (error) {
    if (error instanceof InstallError) return fail(error.message, error.nextStep, error.exitCode);
    throw error;
  }
  if (!existsSync(join(BIN, 'node')) && Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    const platform = `${process.platform}-${process.arch}`;
    return fail(
      `Node ${process.versions.node} is too old, and npm installs no Node ${NODE_MAJOR_MIN} for ${platform}`,
      `install Node ${NODE_MAJOR_MIN} or newer and run the command again`,
      3,
    );
  }
  return await runTask(taskName, taskArguments);
}

/**
 * Runs the steps of a task. Only the last step gets the arguments: a task with several steps is a list of checks without any.
 *
 * @param {string} name
 * @param {string[]} extraArguments
 */
async function runTask(name, extraArguments) {
  const steps = tasks[name] ?? [];
  const startedAtMs = Date.now();
  for (const [index, step] of steps.entries()) {
    const stepStartedAtMs = Date.now();
    if (steps.length > 1) progress(`${step.name} ...`);
    const [command = '', ...args] = step.command;
    const isLast = index === steps.length - 1;
    const exitCode = await run(command, isLast ? [...args, ...extraArguments] : args, { path: pathWithBin() });
    if (steps.length > 1)
      progress(`${step.name} ${exitCode === 0 ? 'ok' : `FAILED (exit ${exitCode})`} in ${seconds(stepStartedAtMs)}`);
    if (exitCode !== 0) return exitCode;
  }
  if (steps.length > 1) progress(`all ${steps.length} steps ok in ${seconds(startedAtMs)}`);
  return 0;
}

/**
 * Runs one command on our terminal and hands signals on to it.
 *
 * @param {string} command found in `path`
 * @param {string[]} args
 * @param {{ path: string, outputToStderr?: boolean, onStart?: (processId: number) => void }} options
 * @returns {Promise<number>} its exit code, 128 + n when signal n ended it, as a shell says it
 */
function run(command, args, { path, outputToStderr = false, onStart = () => undefined }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['inherit', outputToStderr ? 2 : 'inherit', 'inherit'],
      env: { ...process.env, PATH: path },
    });
    if (child.pid !== undefined) onStart(child.pid);
    // A Ctrl-C reaches the whole foreground group, so the child has had it already: sending a second one would make it die hard.
    const onInterrupt = () => process.stdin.isTTY || child.kill('SIGINT');
    const onTerminate = () => child.kill('SIGTERM');
    const onHangUp = () => child.kill('SIGHUP');
    process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onHangUp);
    /** @param {number} exitCode */
    const settle = (exitCode) => {
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onHangUp);
      resolve(exitCode);
    };
    child.on('error', (error) => settle(fail(`cannot start '${command}': ${error.message}`, 'check that it is installed', 127)));
    child.on('exit', (code, signal) => settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function pathWithBin() {
  return [BIN, process.env['PATH'] ?? ''].join(delimiter);
}

/** @param {number} sinceMs */
function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

/** @param {string} text */
function progress(text) {
  process.stderr.write(`[${taskName}] ${text}\n`);
}

/**
 * @param {string} what
 * @param {string} nextStep
 * @param {number} exitCode
 */
function fail(what, nextStep, exitCode) {
  process.stderr.write(`${taskName || 'tools/run.mjs'}: ${what}\n  next: ${nextStep}\n`);
  return exitCode;
}
