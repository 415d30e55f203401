import { RequestCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';

/** Asked of each broker that holds queues of the topic. */
export function deleteTopicInBroker(topic: string): Command<void> {
  return deletion(topic, RequestCode.DELETE_TOPIC_IN_BROKER);
}

/** Asked of each NameServer, once no broker has the topic: it would go on telling of it. */
export function deleteTopicInNameServer(topic: string): Command<void> {
  return deletion(topic, RequestCode.DELETE_TOPIC_IN_NAME_SERVER);
}

function deletion(topic: string, code: number): Command<void> {
  return {
    what: `delete topic ${topic}`,
    code,
    fields: { topic },
    isRepeatable: true,
    answer: (response) => void successful(response),
  };
}
