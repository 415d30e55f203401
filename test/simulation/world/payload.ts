import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';

/** What the simulated records say of themselves. */
interface Payload {
  readonly id?: number | bigint;
  readonly refuse?: boolean;
  readonly deadly?: boolean;
}

function payloadOf(record: ConnectRecord): Payload {
  return (record.value ?? {}) as unknown as Payload;
}

/** The row of a source, by its index. */
export function idOf(record: ConnectRecord): number {
  return Number(record.position?.[0] ?? payloadOf(record).id);
}

export function isRefused(record: ConnectRecord): boolean {
  return payloadOf(record).refuse === true;
}

/** Kills whoever writes it. */
export function isDeadly(record: ConnectRecord): boolean {
  return payloadOf(record).deadly === true;
}

export function refused(): RecordError {
  return new RecordError('the target does not want it');
}
