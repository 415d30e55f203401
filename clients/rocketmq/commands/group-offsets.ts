import type { MessageQueue } from '../../../core/message-queue.ts';
import { RequestCode, ResponseCode } from '../codes.ts';
import { bigintField, type Command, successful } from '../command.ts';

/** Notes how far a group has come. `false`: the broker knows no such group. Later notes count, also lower ones. */
export function updateGroupOffset({ topic, brokerName, queueId }: MessageQueue, group: string, offset: bigint): Command<boolean> {
  return {
    what: `note how far group ${group} has come in topic ${topic}`,
    code: RequestCode.UPDATE_CONSUMER_OFFSET,
    fields: { consumerGroup: group, topic, queueId: String(queueId), commitOffset: String(offset), bname: brokerName },
    isRepeatable: true,
    answer(response) {
      if (response.code === ResponseCode.GROUP_NOT_EXIST) return false;
      successful(response);
      return true;
    },
  };
}

/** `null`: the group has noted nothing of this queue. */
export function queryGroupOffset({ topic, brokerName, queueId }: MessageQueue, group: string): Command<bigint | null> {
  return {
    what: `tell how far group ${group} has come in topic ${topic}`,
    code: RequestCode.QUERY_CONSUMER_OFFSET,
    fields: { consumerGroup: group, topic, queueId: String(queueId), setZeroIfNotFound: 'false', bname: brokerName },
    isRepeatable: true,
    answer: (response) => (response.code === ResponseCode.QUERY_NOT_FOUND ? null : bigintField(successful(response), 'offset')),
  };
}
