/**
 * Many messages to one queue, in order: in batches as large as a broker takes, one behind the other, for a broker works on several
 * at once and would store them in any order. Sends to several queues, or several to one that nobody waits for, go side by side.
 */
import { RecordError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Command } from './command.ts';
import { type SendAnswer, sendBatch } from './commands/send-batch.ts';
import { sendMessage } from './commands/send-message.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';

export interface SendParts {
  readonly queue: MessageQueue;
  readonly group: string;
  readonly bornAtMs: number;
  /** What a broker takes at once, `maxMessageSize`; no message is larger. */
  readonly bytesMax: number;
  readonly ask: <Answer>(command: Command<Answer>) => Promise<Answer>;
  /** `false`: brokers take single messages only. */
  readonly takesBatches: () => boolean;
  /** From now on `takesBatches` answers `false`. */
  readonly refusedBatches: () => void;
}

export interface Sent {
  /** Right behind the last one that was stored; `null` where none was. */
  readonly end: bigint | null;
  /** Messages the broker refuses for themselves. Indexes into what was to be sent. */
  readonly refused: readonly { readonly index: number; readonly error: RecordError }[];
}

/** Of the messages, from one to before another. */
interface Batch {
  readonly from: number;
  readonly to: number;
}

export async function sendMessages(messages: OutgoingMessages, parts: SendParts): Promise<Sent> {
  const refused: { index: number; error: RecordError }[] = [];
  let end: bigint | null = null;
  const open = inBatches(messages, parts.bytesMax);
  for (let batch = open.shift(); batch !== undefined; batch = open.shift()) {
    const { from, to } = batch;
    const answer = await sendOne(messages, batch, parts);
    if (answer.kind === 'stored') end = answer.offset + BigInt(to - from);
    else if (answer.kind === 'refused' && to - from === 1) refused.push({ index: from, error: rejected(answer.reason) });
    else {
      if (answer.kind === 'no-batches') parts.refusedBatches();
      open.unshift(...(answer.kind === 'refused' ? halves(batch) : singles(batch)));
    }
  }
  return { end, refused };
}

function sendOne(messages: OutgoingMessages, { from, to }: Batch, parts: SendParts): Promise<SendAnswer> {
  const { queue, ask, group, bornAtMs } = parts;
  if (parts.takesBatches()) return ask(sendBatch(queue, messages.bytes(from, to), { group, bornAtMs }));
  if (to - from > 1) return Promise.resolve({ kind: 'no-batches' });
  return ask(sendMessage(queue, messages.message(from), { group, bornAtMs }));
}

function inBatches(messages: OutgoingMessages, bytesMax: number): Batch[] {
  const batches: Batch[] = [];
  const { count } = messages;
  for (let from = 0, to = 0; from < count; from = to) {
    to = messages.fitting(from, bytesMax);
    batches.push({ from, to });
  }
  return batches;
}

/** A batch is refused as a whole: which of its messages is meant shows when they are sent apart. */
function halves({ from, to }: Batch): readonly Batch[] {
  const middle = Math.ceil((from + to) / 2);
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

function singles({ from, to }: Batch): readonly Batch[] {
  return Array.from({ length: to - from }, (_, index) => ({ from: from + index, to: from + index + 1 }));
}

function rejected(reason: string): RecordError {
  const isTooLarge = /size|length/i.test(reason);
  return new RecordError(`the broker refuses the record: ${reason}`, {
    code: isTooLarge ? 'record.too_large' : 'record.rejected',
  });
}
