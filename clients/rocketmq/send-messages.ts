/**
 * Many messages to one queue, in order: in batches as large as a broker takes, one behind the other, for a broker works on several
 * at once and would store them in any order. Sends to several queues, or several to one that nobody waits for, go side by side.
 */
import { RecordError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Command } from './command.ts';
import { type SendAnswer, sendBatch } from './commands/send-batch.ts';
import { sendMessage } from './commands/send-message.ts';
import { encodeBatch, messageBytes, type OutgoingMessage } from './outgoing-message.ts';

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

interface Batch {
  /** Index of the first. */
  readonly from: number;
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
}

export async function sendMessages(messages: readonly OutgoingMessage[], parts: SendParts): Promise<Sent> {
  const refused: { index: number; error: RecordError }[] = [];
  let end: bigint | null = null;
  const open = inBatches(messages, parts.bytesMax);
  for (let batch = open.shift(); batch !== undefined; batch = open.shift()) {
    const answer = await sendOne(batch, parts);
    if (answer.kind === 'stored') end = answer.offset + BigInt(batch.messages.length);
    else if (answer.kind === 'refused' && batch.messages.length === 1) {
      refused.push({ index: batch.from, error: rejected(answer.reason) });
    } else {
      if (answer.kind === 'no-batches') parts.refusedBatches();
      open.unshift(...(answer.kind === 'refused' ? halves(batch) : singles(batch)));
    }
  }
  return { end, refused };
}

function sendOne({ messages, bytes }: Batch, parts: SendParts): Promise<SendAnswer> {
  const { queue, ask, group, bornAtMs } = parts;
  const [first] = messages;
  if (messages.length === 1 && first !== undefined && !parts.takesBatches()) {
    return ask(sendMessage(queue, first, { group, bornAtMs }));
  }
  if (!parts.takesBatches()) return Promise.resolve({ kind: 'no-batches' });
  return ask(sendBatch(queue, encodeBatch(messages, bytes), { group, bornAtMs }));
}

function inBatches(messages: readonly OutgoingMessage[], bytesMax: number): Batch[] {
  const batches: Batch[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, message] of messages.entries()) {
    const more = messageBytes(message);
    if (index > from && bytes + more > bytesMax) {
      batches.push({ from, messages: messages.slice(from, index), bytes });
      from = index;
      bytes = 0;
    }
    bytes += more;
  }
  if (messages.length > from) batches.push({ from, messages: from === 0 ? messages : messages.slice(from), bytes });
  return batches;
}

/** A batch is refused as a whole: which of its messages is meant shows when they are sent apart. */
function halves({ from, messages }: Batch): readonly Batch[] {
  const middle = Math.ceil(messages.length / 2);
  return [batchOf(from, messages.slice(0, middle)), batchOf(from + middle, messages.slice(middle))];
}

function singles({ from, messages }: Batch): readonly Batch[] {
  return messages.map((message, index) => batchOf(from + index, [message]));
}

function batchOf(from: number, messages: readonly OutgoingMessage[]): Batch {
  return { from, messages, bytes: messages.reduce((sum, message) => sum + messageBytes(message), 0) };
}

function rejected(reason: string): RecordError {
  const isTooLarge = /size|length/i.test(reason);
  return new RecordError(`the broker refuses the record: ${reason}`, {
    code: isTooLarge ? 'record.too_large' : 'record.rejected',
  });
}
