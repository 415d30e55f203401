/**
 * Names of topics and groups as the servers know them: hosted clusters put the instance's name before all of its own, as
 * `instance%topic`.
 */
import type { MessageQueue } from '../../core/message-queue.ts';

const SEPARATOR = '%';

/** RocketMQ 5.3.3, `TopicValidator.java`. */
const TOPIC_CHARACTERS = /^[%|\w-]+$/;
const TOPIC_LENGTH_MAX = 127;

export class Names {
  readonly #prefix: string;

  constructor(namespace: string | undefined) {
    this.#prefix = namespace === undefined ? '' : `${namespace}${SEPARATOR}`;
  }

  onWire(name: string): string {
    return `${this.#prefix}${name}`;
  }

  queueOnWire(queue: MessageQueue): MessageQueue {
    return { ...queue, topic: this.onWire(queue.topic) };
  }

  /** Why no topic can have the name, and which can; `null` where one can. */
  topicProblem(topic: string): string | null {
    const bytes = this.onWire(topic).length;
    if (TOPIC_CHARACTERS.test(topic) && bytes <= TOPIC_LENGTH_MAX) return null;
    const allowed = `${TOPIC_LENGTH_MAX} letters, digits, _, -, % and | at most`;
    return `RocketMQ takes no topic named ${topic}; next: choose a name of ${allowed}`;
  }

  /** `null`: it belongs to somebody else. */
  fromWire(name: string): string | null {
    return name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : null;
  }
}
