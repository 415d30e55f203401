import process from 'node:process';
import { Worker } from 'node:worker_threads';

/** How soon a process whose parent is gone ends: at the latest, and with the parent's end as the only sign of it. */
const LOOK_EVERY_MS = 100;

/**
 * Ends this process when its parent has ended: at once if it has by now, else within moments, whatever this process is doing. A
 * plugin that never lets go of its thread would not hear that the channel was closed. So a thread of its own looks; it is plain
 * text because loading a file costs a start four times as much.
 */
export function endWithParent(parentPid: number): void {
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
  const watch = `
    setInterval(() => {
      if (process.ppid !== ${parentPid}) process.kill(process.pid, 'SIGKILL');
    }, ${LOOK_EVERY_MS});
  `;
  // Nothing of what the process was started with, and no reason for it to stay.
  new Worker(watch, { eval: true, env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref();
}
