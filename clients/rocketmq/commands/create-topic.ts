import { RequestCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';

const READ_AND_WRITE = '6';

/** Asked of each broker that is to hold queues of the topic. One that exists gets as many queues as this says. */
export function createTopic(topic: string, queues: number): Command<void> {
  return {
    what: `create topic ${topic}`,
    code: RequestCode.CREATE_TOPIC,
    fields: {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: String(queues),
      writeQueueNums: String(queues),
      perm: READ_AND_WRITE,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      // A proxy that checks types takes others for another kind of message.
      attributes: '+message.type=NORMAL',
    },
    isRepeatable: true,
    answer: (response) => void successful(response),
  };
}
