import process from 'node:process';
import { parentPort } from 'node:worker_threads';
import type { FromHost, ToHost } from '../../../adapters/invoke/host-protocol.ts';

/** The invoker's end of the conversation, whichever way it is held. */
export interface InvokerPort {
  readonly isProcess: boolean;
  send(message: FromHost): void;
  /** Called once; messages that came before are not lost. */
  onMessage(listener: (message: ToHost) => void): void;
  /** Nothing more is said: it is no reason any more to stay alive. */
  close(): void;
  /** Says why, and ends this host. */
  crash(message: string): void;
}

export function invokerPort(): InvokerPort {
  if (parentPort === null) return processPort();
  const port = parentPort;
  return {
    isProcess: false,
    send: (message) => port.postMessage(JSON.stringify(message)),
    onMessage: (listener) => void port.on('message', (text: string) => listener(JSON.parse(text) as ToHost)),
    close: () => port.close(),
    crash(message) {
      port.postMessage(JSON.stringify({ kind: 'crashed', message } satisfies FromHost));
      process.exit(1);
    },
  };
}

function processPort(): InvokerPort {
  // With a callback, for an error without one is an event. An invoker that is gone is noticed elsewhere.
  const send = (message: FromHost, sent: () => void = () => undefined): void => {
    process.send?.(message, undefined, undefined, sent);
  };
  return {
    isProcess: true,
    send: (message) => send(message),
    onMessage: (listener) => void process.on('message', listener),
    close: () => process.disconnect(),
    crash: (message) => send({ kind: 'crashed', message }, () => process.exit(1)),
  };
}
