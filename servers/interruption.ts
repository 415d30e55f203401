import { constants } from 'node:os';
import process from 'node:process';

/** This process was told to end by a signal. */
export class Interruption extends Error {
  /** As a shell says it. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** From now on neither signal ends this process by itself. @throws {Interruption} once one comes; does not resolve. */
export function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => reject(new Interruption(signal)));
  });
}
