import type { MessageQueue } from '../../../core/message-queue.ts';
import { RequestCode, ResponseCode } from '../codes.ts';
import { bigintField, type Command, type Response, successful } from '../command.ts';

export interface SendSettings {
  /** Names who sends, for the broker's own tools; it need not exist. */
  readonly group: string;
  /** Of all messages, epoch ms. */
  readonly bornAtMs: number;
}

/**
 * `stored`: at that offset, the first of a batch. `refused`: something of it is not what the broker takes, and nothing was stored.
 * `no-batches`: it takes single messages only, as some hosted ones do.
 */
export type SendAnswer =
  | { readonly kind: 'stored'; readonly offset: bigint }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'no-batches' };

/**
 * Appends all messages of a batch or none, one behind the other. `body`: as `outgoing-messages.ts` tells. Never sent again by itself:
 * nobody would know of the first.
 */
export function sendBatch(queue: MessageQueue, body: Uint8Array, settings: SendSettings): Command<SendAnswer> {
  return {
    what: `send to topic ${queue.topic}`,
    code: RequestCode.SEND_BATCH_MESSAGE,
    // Up to 5.3.3 a broker adds the batch's own properties to those of each message: there are none.
    fields: { ...sendFields(queue, settings), i: '', m: 'true' },
    body,
    isRepeatable: false,
    answer: sendAnswer,
  };
}

/** The short names of V2. `c`: a topic to copy where this one is missing: itself, which makes none. */
export function sendFields(
  { topic, brokerName, queueId }: MessageQueue,
  { group, bornAtMs }: SendSettings,
): Record<string, string> {
  return {
    a: group,
    b: topic,
    c: topic,
    d: '4',
    e: String(queueId),
    f: '0',
    g: String(bornAtMs),
    h: '0',
    j: '0',
    k: 'false',
    n: brokerName,
  };
}

export function sendAnswer(response: Response): SendAnswer {
  const remark = response.remark ?? '';
  const isSystemError = response.code === ResponseCode.SYSTEM_ERROR;
  // A batch that is too large gets no code of its own.
  if (response.code === ResponseCode.MESSAGE_ILLEGAL || (isSystemError && remark.includes('message body size exceeded'))) {
    return { kind: 'refused', reason: remark };
  }
  // https://github.com/alibaba/canal/issues/3304, read 2026-11-22
  if (isSystemError && /batch send\s*,? not support/i.test(remark)) return { kind: 'no-batches' };
  return { kind: 'stored', offset: bigintField(successful(response), 'queueOffset') };
}
