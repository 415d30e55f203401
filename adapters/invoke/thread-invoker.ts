import { Worker } from 'node:worker_threads';
import { messageOf } from '../../core/errors.ts';
import type { InvocationEnd, Offer } from '../../core/offer.ts';
import type { Invoker } from '../../core/ports.ts';
import { hostEnvironment } from './host-environment.ts';
import { HostPool, type HostPoolDeps } from './host-pool.ts';
import type { FromHost, HostEvents, HostHandle } from './host-protocol.ts';

/**
 * Runs invocations in threads of this process, started on demand and stopped when idle; `host-pool.ts` says how.
 *
 * A thread shares nothing with the others but the process: what a plugin does to the process itself (a crash of native code, no
 * memory left) ends all of them. Where that must not be, use processes.
 */
export class ThreadInvoker implements Invoker {
  readonly #pool: HostPool;

  constructor(deps: HostPoolDeps) {
    this.#pool = new HostPool(deps, { what: 'thread', start: (events) => startThread(deps, events) });
  }

  invoke(offer: Offer): Promise<InvocationEnd> {
    return this.#pool.invoke(offer);
  }

  freeSlots(): number {
    return this.#pool.freeSlots();
  }

  /**
   * Refuses what comes from now on, tells what runs to end soon, and resolves when every thread has ended: at the latest when the limit
   * of each invocation is over.
   */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Messages are texts: with structured clones, of telemetry above all, a busy thread ran a third fewer invocations. */
function startThread({ entry, cacheFolder }: HostPoolDeps, { heard, ended }: HostEvents): HostHandle {
  let crash: string | undefined;
  // `execArgv`: options of this process, such as a debugger's port, are not meant for the thread.
  const thread = new Worker(entry, { env: hostEnvironment(cacheFolder), execArgv: [] });
  thread.on('message', (text: string) => heard(JSON.parse(text) as FromHost));
  // `exit` follows, also where the thread could not be made, and after all messages.
  thread.on('error', (error) => {
    crash = messageOf(error);
  });
  thread.on('exit', (code) => ended(crash ?? `it exited with code ${code}`));
  return {
    send: (message) => thread.postMessage(JSON.stringify(message)),
    terminate: () => void thread.terminate(),
  };
}
