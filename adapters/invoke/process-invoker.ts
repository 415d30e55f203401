import { type ChildProcess, fork } from 'node:child_process';
import { messageOf } from '../../core/errors.ts';
import type { InvocationEnd, Offer } from '../../core/offer.ts';
import type { Invoker } from '../../core/ports.ts';
import { hostEnvironment } from './host-environment.ts';
import { HostPool, type HostPoolDeps } from './host-pool.ts';
import type { FromHost, HostEvents, HostHandle } from './host-protocol.ts';

/**
 * Runs invocations in child processes, started on demand and stopped when idle; `host-pool.ts` says how.
 *
 * Whatever a plugin does to its process, this one goes on. What a child writes to its output goes to the error output of this
 * process. A child that outlives this process ends within a second.
 */
export class ProcessInvoker implements Invoker {
  readonly #pool: HostPool;

  constructor(deps: HostPoolDeps) {
    this.#pool = new HostPool(deps, { what: 'process', start: (events) => startProcess(deps, events) });
  }

  invoke(offer: Offer): Promise<InvocationEnd> {
    return this.#pool.invoke(offer);
  }

  freeSlots(): number {
    return this.#pool.freeSlots();
  }

  /**
   * Refuses what comes from now on, tells what runs to end soon, and resolves when every child has ended: at the latest when the limit
   * of each invocation is over.
   */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** JSON is what `fork` writes fastest: an offer and its result cost a tenth less than with structured clones. */
function startProcess({ entry, cacheFolder }: HostPoolDeps, events: HostEvents): HostHandle {
  const child = fork(entry, { env: hostEnvironment(cacheFolder), execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] });
  child.on('message', (message: FromHost) => events.heard(message));
  tellEnd(child, events);
  return {
    // With a callback, for an error without one is an event: the end of the child tells all there is to know.
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    terminate: () => void child.kill('SIGKILL'),
  };
}

/** Once it has exited and its last message was read, in whatever order that happens; or once it was clear that it cannot start. */
function tellEnd(child: ChildProcess, { ended }: HostEvents): void {
  let how: string | undefined;
  let isSilent = false;
  const tell = (): void => {
    if (how !== undefined && isSilent) ended(how);
  };
  child.on('error', (error) => {
    if (child.pid === undefined) ended(messageOf(error));
  });
  child.on('disconnect', () => {
    isSilent = true;
    tell();
  });
  child.on('exit', (code, signal) => {
    how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
    tell();
  });
}
