import type { MessageQueue } from '../../../core/message-queue.ts';
import { RequestCode } from '../codes.ts';
import type { Command } from '../command.ts';
import type { OutgoingMessage } from '../outgoing-messages.ts';
import { type SendAnswer, type SendSettings, sendAnswer, sendFields } from './send-batch.ts';

/**
 * Appends one message. The broker keeps no order among its properties, nor two of one name, and takes no empty body. Never sent
 * again by itself: nobody would know of the first.
 */
export function sendMessage(
  queue: MessageQueue,
  { body, properties }: OutgoingMessage,
  settings: SendSettings,
): Command<SendAnswer> {
  return {
    what: `send to topic ${queue.topic}`,
    code: RequestCode.SEND_MESSAGE_V2,
    fields: { ...sendFields(queue, settings), i: properties },
    body,
    isRepeatable: false,
    answer(response) {
      const answer = sendAnswer(response);
      // It is none: whoever says so refuses the message.
      return answer.kind === 'no-batches' ? { kind: 'refused', reason: response.remark ?? '' } : answer;
    },
  };
}
