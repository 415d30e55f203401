/**
 * The entry of a thread or a child process of this machine: what `ThreadInvoker` and `ProcessInvoker` start. It serves invocations
 * over a data folder (`local/local-settings.ts`) until it is told to close; the conversation is `adapters/invoke/host-protocol.ts`.
 *
 * Whatever is thrown and not caught ends it, with all it runs: the invoker hears why, and what was held is claimed again.
 */
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import { invokerPort } from './local/invoker-port.ts';

const port = invokerPort();
let shown = (text: string): string => text;
process.on('uncaughtException', (error) => port.crash(shown(messageOf(error))));
if (port.isProcess) {
  // A terminal and a service manager send these to the whole group: it is the invoker that decides when its hosts end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
}

// Now that a failure of what it loads is told, too.
const { serve } = await import('./local/serve.ts');
shown = serve(port);
