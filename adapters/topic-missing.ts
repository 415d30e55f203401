import { FatalTaskError } from '../core/errors.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';

export function topicMissing(topic: string): FatalTaskError {
  return missing(`topic ${topic}`);
}

export function queueMissing(queue: MessageQueue): FatalTaskError {
  return missing(`queue ${queueKey(queue)}`);
}

function missing(what: string): FatalTaskError {
  return new FatalTaskError(`${what} does not exist`, { code: 'broker.topic_missing' });
}
