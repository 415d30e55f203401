import type { MessageQueue } from '../../../core/message-queue.ts';
import { RequestCode, ResponseCode } from '../codes.ts';
import { bigintField, type Command, Refusal, type Response } from '../command.ts';

/**
 * Which messages the broker gives. It looks at a tag's hash alone, so that a few others may come with them. SQL92 asks for
 * `enablePropertyFilter=true` at the broker, which lets everything pass where it cannot parse the expression: seen with 5.3.3, read by
 * whoever did not register. Whoever takes an expression from somebody else checks it first.
 */
export interface MessageFilter {
  readonly type: 'TAG' | 'SQL92';
  readonly expression: string;
}

export interface Pull {
  /** The broker makes it where it may; counts nothing of ours. */
  readonly group: string;
  readonly offset: bigint;
  /** At most; the broker has its own limits, 32 messages and 256 KiB by default. */
  readonly messages: number;
  /** How long the broker waits for a message at its end; it looks at the time every five seconds. 0: not at all. */
  readonly waitMs: number;
  readonly filter?: MessageFilter | undefined;
}

/**
 * `found`: `body` holds messages. `none`: others lie between, or are being removed. `end`: nothing is there yet. `moved`: the offset is
 * not among those the queue holds. In every case `next` is where to go on, and the queue holds `[min, max)`.
 */
export interface Pulled {
  readonly status: 'found' | 'none' | 'end' | 'moved';
  readonly body: Buffer;
  readonly next: bigint;
  readonly min: bigint;
  readonly max: bigint;
}

/** Behind every queue: an answer tells what the queue holds, and no message. */
export const BEHIND_ALL = 2n ** 63n - 1n;

/** Bits of the protocol's `sysFlag`. */
const SUSPEND = 2;
const SUBSCRIPTION = 4;

export const EVERYTHING: MessageFilter = { type: 'TAG', expression: '*' };

const STATUS: Readonly<Record<number, Pulled['status']>> = {
  [ResponseCode.SUCCESS]: 'found',
  [ResponseCode.PULL_RETRY_IMMEDIATELY]: 'none',
  [ResponseCode.PULL_NOT_FOUND]: 'end',
  [ResponseCode.PULL_OFFSET_MOVED]: 'moved',
};

/** Says itself what it subscribes to, so that nobody has to have registered; commits nothing. */
export function pullMessage({ topic, brokerName, queueId }: MessageQueue, pull: Pull): Command<Pulled> {
  const { group, offset, messages, waitMs, filter = EVERYTHING } = pull;
  return {
    what: `read topic ${topic}`,
    code: RequestCode.PULL_MESSAGE,
    fields: {
      consumerGroup: group,
      topic,
      queueId: String(queueId),
      queueOffset: String(offset),
      maxMsgNums: String(messages),
      sysFlag: String(waitMs > 0 ? SUSPEND | SUBSCRIPTION : SUBSCRIPTION),
      commitOffset: '0',
      suspendTimeoutMillis: String(waitMs),
      subscription: filter.expression,
      subVersion: '0',
      expressionType: filter.type,
      bname: brokerName,
    },
    isRepeatable: true,
    answer: (response) => pulled(response),
  };
}

function pulled(response: Response): Pulled {
  const status = STATUS[response.code];
  if (status === undefined) throw new Refusal(response);
  return {
    status,
    body: response.body,
    next: bigintField(response, 'nextBeginOffset'),
    min: bigintField(response, 'minOffset'),
    max: bigintField(response, 'maxOffset'),
  };
}
