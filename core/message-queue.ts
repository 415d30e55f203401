/** One ordered log of a topic on a broker. `queueId` alone is not unique: each broker numbers its own queues from 0. */
export interface MessageQueue {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

/** A key for maps and for checkpoints; unique within a topic's cluster. RocketMQ allows no `/` in either name. */
export function queueKey({ topic, brokerName, queueId }: MessageQueue): string {
  return `${topic}/${brokerName}/${queueId}`;
}
