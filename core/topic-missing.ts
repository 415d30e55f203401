/** What a log says of a topic or queue that is not there. */
import { FatalTaskError } from './errors.ts';
import { type MessageQueue, queueKey } from './message-queue.ts';

export function topicMissing(topic: string): FatalTaskError {
  return missing(`topic ${topic}`);
}

export function queueMissing(queue: MessageQueue): FatalTaskError {
  return missing(`queue ${queueKey(queue)}`);
}

function missing(what: string): FatalTaskError {
  return new FatalTaskError(`${what} does not exist; next: create the topic, or correct its name`, {
    code: 'broker.topic_missing',
  });
}
