// Brings node_modules to what package-lock.json says, once, even when several scripts start at the same time on a fresh clone.
//
// npm writes node_modules/.package-lock.json after a complete installation, and `npm ci` starts by removing node_modules. So equal
// entries in both files mean a complete installation of this lock, whoever made it, and no stamp of our own is needed.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './paths.mjs';

const LOCK = join(ROOT, '.install-lock');
const POLL_MS = 200;
// A cold installation takes under a minute; ten times that means that the installer hangs.
const WAIT_MS_MAX = 600_000;

export class InstallError extends Error {
  /**
   * @param {string} message
   * @param {{ nextStep: string, exitCode: number }} options
   */
  constructor(message, { nextStep, exitCode }) {
    super(message);
    this.name = 'InstallError';
    this.nextStep = nextStep;
    this.exitCode = exitCode;
  }
}

/**
 * @typedef {(command: string, args: string[], options: { path: string, outputToStderr: boolean, onStart: (pid: number) => void }) => Promise<number>} Run
 * @param {{ run: Run }} deps
 * @throws {InstallError}
 */
export async function installMissing({ run }) {
  if (isInstalled()) return;
  await acquireLock();
  try {
    if (isInstalled()) return; // another script installed it while this one waited
    progress('node_modules is not what package-lock.json says; running npm ci ...');
    const startedAtMs = Date.now();
    const exitCode = await run('npm', ['ci', '--loglevel=error'], {
      path: pathWithoutBin(),
      outputToStderr: true,
      onStart: shareLock,
    });
    if (exitCode !== 0) {
      throw new InstallError(`npm ci failed in ${ROOT} (exit ${exitCode}), its own message is above`, {
        nextStep: 'check that npm and the package registry are reachable, then run the command again',
        exitCode: exitCode > 128 ? exitCode : 3,
      });
    }
    if (!isInstalled()) {
      throw new InstallError('npm ci succeeded, but node_modules is still not what package-lock.json says', {
        nextStep: 'run npm install, look at what it changes in package-lock.json, and commit that',
        exitCode: 3,
      });
    }
    progress(`installed in ${Math.round((Date.now() - startedAtMs) / 1_000)} s`);
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** Packages for other platforms are in the lock, marked optional, and rightly absent. */
function isInstalled() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  if (wanted === undefined) {
    throw new InstallError(`${join(ROOT, 'package-lock.json')} is missing or not JSON`, {
      nextStep: 'restore it from git: git checkout package-lock.json',
      exitCode: 3,
    });
  }
  const present = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
  if (present === undefined) return false;
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    const found = present[path];
    if (path === '' || (found === undefined && optional)) continue;
    if (found?.version !== version || found?.integrity !== integrity) return false;
  }
  return Object.keys(present).every((path) => path in wanted);
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined} undefined when there is no such file, or a half-written one
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * The lock is a file with the process ids of the launcher and of its npm: when the launcher is killed, its npm goes on, and nobody
 * else may install before that has ended too. It lies outside node_modules, which `npm ci` removes.
 */
async function acquireLock() {
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  let told = false;
  while (!tryLock()) {
    const holders = lockHolders();
    if (holders !== undefined && !holders.split(' ').some(isAlive)) {
      removeStaleLock(holders);
      continue;
    }
    if (Date.now() > deadlineMs) {
      throw new InstallError(`process ${holders ?? 'unknown'} has been installing for over ${WAIT_MS_MAX / 60_000} minutes`, {
        nextStep: `end it, remove ${LOCK} and run the command again`,
        exitCode: 3,
      });
    }
    if (!told) progress(`waiting for process ${holders ?? 'unknown'}, which is installing ...`);
    told = true;
    await sleep(POLL_MS);
  }
}

/** Linking a complete file into place is atomic, so nobody ever reads a lock without its process id. */
function tryLock() {
  const mine = `${LOCK}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, LOCK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** @param {number} npmProcessId */
function shareLock(npmProcessId) {
  const mine = `${LOCK}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${npmProcessId}`);
  renameSync(mine, LOCK);
}

/** @returns {string | undefined} process ids with blanks between; undefined when the lock was released meanwhile */
function lockHolders() {
  try {
    return readFileSync(LOCK, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * The race of two waiters: 1. both read the dead holders; 2. the first removes the lock and takes it; 3. the second removes the
 * first one's lock. So the lock is moved aside, and put back when it turns out to be somebody else's by now.
 *
 * @param {string} deadHolders
 */
function removeStaleLock(deadHolders) {
  const aside = `${LOCK}.${process.pid}.stale`;
  try {
    renameSync(LOCK, aside);
    if (readFileSync(aside, 'utf8') !== deadHolders) linkSync(aside, LOCK);
  } catch {
    // Somebody else removed it, or took it meanwhile: the next round sees who.
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {string} processId */
function isAlive(processId) {
  try {
    process.kill(Number(processId), 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** `npm ci` removes node_modules, so npm itself must run on the machine's own Node. */
function pathWithoutBin() {
  const parts = (process.env['PATH'] ?? '').split(delimiter);
  return parts.filter((part) => !part.includes(join('node_modules', '.bin'))).join(delimiter);
}

/** @param {string} text */
function progress(text) {
  process.stderr.write(`[install] ${text}\n`);
}
