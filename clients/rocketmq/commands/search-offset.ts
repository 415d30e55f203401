import type { MessageQueue } from '../../../core/message-queue.ts';
import { RequestCode } from '../codes.ts';
import { bigintField, type Command, successful } from '../command.ts';

/** The first message that was stored at or after `atMs`; the end of the queue where there is none. A queue that does not exist has 0. */
export function searchOffset({ topic, brokerName, queueId }: MessageQueue, atMs: number): Command<bigint> {
  return {
    what: `find a time in topic ${topic}`,
    code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
    fields: { topic, queueId: String(queueId), timestamp: String(Math.ceil(atMs)), boundaryType: 'LOWER', bname: brokerName },
    isRepeatable: true,
    answer: (response) => bigintField(successful(response), 'offset'),
  };
}
