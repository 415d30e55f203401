/** Numbered records in a topic of a RocketMQ, sent as fast as they are moved on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { LogBroker, OutgoingRecord } from '../../../core/ports.ts';

export const TOPIC = 'numbers';
export const QUEUES = 8;

/** Of each value: all have as many. */
export const VALUE_BYTES = 200;

const BATCH_RECORDS = 500;

/** So many are sent and not moved on at most: what a broker that is killed may lose is sent while it is killed. */
const AHEAD_MAX = 30_000;

const AGAIN_AFTER_MS = 100;
const LOOK_EVERY_MS = 20;

/** Begins with the number. */
function valueWith(number: number): Buffer {
  const start = `{"id":${number},"text":"`;
  return Buffer.from(`${start.padEnd(VALUE_BYTES - 2, 'x')}"}`);
}

export function numberIn(value: Uint8Array): number {
  const text = Buffer.from(value.buffer, value.byteOffset, 20).toString('latin1');
  return Number(text.slice('{"id":'.length, text.indexOf(',')));
}

export class NumberProducer {
  readonly #log: LogBroker;
  readonly #queues: readonly MessageQueue[];
  readonly #movedOn: () => number;
  #sent = 0;
  #failures = 0;

  /** `movedOn`: how many of them have been moved on. */
  constructor(log: LogBroker, queues: readonly MessageQueue[], movedOn: () => number) {
    this.#log = log;
    this.#queues = queues;
    this.#movedOn = movedOn;
  }

  /** All below are acknowledged. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends of which nobody knows what became: they were repeated. */
  get failures(): number {
    return this.#failures;
  }

  /** Up to that number. A batch is sent until it is acknowledged, and may be in the topic more than once. */
  async sendUpTo(end: number): Promise<void> {
    for (let batch = 0; this.#sent < end; batch += 1) {
      while (this.#sent - this.#movedOn() > AHEAD_MAX) await sleep(LOOK_EVERY_MS);
      const count = Math.min(BATCH_RECORDS, end - this.#sent);
      await this.#send(this.#queues[batch % this.#queues.length] as MessageQueue, recordsFrom(this.#sent, count));
      this.#sent += count;
    }
  }

  async #send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<void> {
    for (;;) {
      try {
        await this.#log.send(queue, records);
        return;
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        this.#failures += 1;
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }
}

function recordsFrom(from: number, count: number): readonly OutgoingRecord[] {
  const bornAtMs = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    key: null,
    value: valueWith(from + index),
    tag: null,
    headers: [],
    bornAtMs,
  }));
}
