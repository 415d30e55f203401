/** What a failure of a broker or NameServer is for the runtime. Each message names the address, what was being done and the next step. */
import { type ConnectError, FatalTaskError, messageOf, RetryableError } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import { ResponseCode } from './codes.ts';
import { Refusal } from './command.ts';

/** A broker whose send queue is full has it empty again within its `waitTimeMillsInSendQueue`, 200 ms. RocketMQ 5.3.3, `BrokerConfig.java`. */
const BUSY_RETRY_AFTER_MS = 200;

const UNREACHABLE_NEXT =
  'check that it runs and can be reached from here; a broker is reached at the address that it advertises (`brokerIP1`, `listenPort`)';

const LOOK_NEXT = 'look at what the broker says, and at its log';

/** Nothing came back, or nobody was reached. */
export function unavailable(address: string, what: string, cause?: unknown): RetryableError {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new RetryableError(`${address} did not answer: ${what}${reason}; next: ${UNREACHABLE_NEXT}`, {
    code: 'broker.unavailable',
    details: { address },
    cause,
  });
}

/** What happened, where it is one of several things. */
export function withoutNext(error: unknown): string {
  return messageOf(error).replace(/; next: .*$/s, '');
}

/** Its broker is down, or nobody can say whether it is: what the queue holds is to be expected back. */
export function queueAway(queue: MessageQueue): RetryableError {
  const { brokerName } = queue;
  const next = `start ${brokerName}, and name the name servers to it (\`namesrvAddr\`) and to Sortie; where it is gone for good, see docs/rocketmq.md`;
  return new RetryableError(`queue ${queueKey(queue)}: no name server tells of a master of ${brokerName}; next: ${next}`, {
    code: 'broker.unavailable',
    details: { brokerName },
  });
}

/** It is about to go, its topic may not be written to, or a slave stands in for its master. */
export function queueNotWritable(queue: MessageQueue): RetryableError {
  const next = `let the topic be written to again (\`perm\`, \`writeQueueNums\`) where that was not meant, and check that the master of ${queue.brokerName} runs`;
  return new RetryableError(`queue ${queueKey(queue)} can be read and not written to; next: ${next}`, {
    code: 'broker.unavailable',
    details: { brokerName: queue.brokerName },
  });
}

/** What was thrown where `address` was asked, as the runtime knows it; what is no refusal stays what it is. */
export function failureOf(error: unknown, { address, what }: { readonly address: string; readonly what: string }): unknown {
  if (!(error instanceof Refusal)) return unavailable(address, `${what}, and what it answered is not understood`, error);
  const { code, remark } = error;
  const said = `${address} refuses to ${what}: ${remark} (code ${code})`;
  const details = { address, code };
  switch (code) {
    case ResponseCode.TOPIC_NOT_EXIST:
      return new FatalTaskError(`${said}; next: create the topic, or correct its name`, {
        code: 'broker.topic_missing',
        details,
      });
    case ResponseCode.GROUP_NOT_EXIST:
      return new FatalTaskError(
        `${said}; next: create the group, or let brokers create groups (\`autoCreateSubscriptionGroup\`)`,
        {
          code: 'broker.refused',
          details,
        },
      );
    case ResponseCode.NO_PERMISSION:
      return noPermission(said, remark, details);
    case ResponseCode.SYSTEM_BUSY:
    case ResponseCode.FLOW_CONTROL:
      return throttled(said, details);
    case ResponseCode.FLUSH_DISK_TIMEOUT:
    case ResponseCode.SLAVE_NOT_AVAILABLE:
    case ResponseCode.FLUSH_SLAVE_TIMEOUT:
      return unwell(
        `${said}; what was sent is stored and may be lost yet`,
        "look at the broker's disk and at its slaves",
        details,
      );
    case ResponseCode.SERVICE_NOT_AVAILABLE:
    case ResponseCode.GO_AWAY:
      return unwell(said, 'see whether its disk is full, it is ending, or it is a slave', details);
    case ResponseCode.SYSTEM_ERROR:
      return systemError(said, remark, details);
    default:
      return new FatalTaskError(`${said}; next: ${LOOK_NEXT}`, { code: 'broker.refused', details });
  }
}

type Details = Readonly<Record<string, string | number>>;

/**
 * ACL 1.0 gives no code of its own to what it refuses, and a broker none to flow control that it notices at the last moment, before
 * it stores anything. RocketMQ 5.3.3, `SendMessageProcessor.java`, `HookUtils.java`.
 */
function systemError(said: string, remark: string, details: Details): ConnectError {
  if (/AclException|AuthenticationException|AuthorizationException/.test(remark)) return unauthorized(said, details);
  if (/^\[PC_SYNCHRONIZED\]/.test(remark)) return throttled(said, details);
  return unwell(said, LOOK_NEXT, details);
}

/** What access keys may not do, and what nobody may, have one code. RocketMQ 5.3.3, `PullMessageProcessor.java`, `AbstractSendMessageProcessor.java`. */
function noPermission(said: string, remark: string, details: Details): ConnectError {
  if (/message is forbidden/.test(remark))
    return unwell(said, 'let it be read and written again (`brokerPermission` of the broker, `perm` of the topic)', details);
  if (/^subscription group no permission/.test(remark))
    return new FatalTaskError(
      `${said}; next: let the group consume (\`consumeEnable\`), or name another (\`rocketmq.group.id\`)`,
      {
        code: 'broker.refused',
        details,
      },
    );
  return unauthorized(said, details);
}

function throttled(said: string, details: Details): RetryableError {
  return new RetryableError(`${said}; next: nothing, it is tried again; if this lasts, look at its load and its disk`, {
    code: 'broker.throttled',
    details,
    retryAfterMs: BUSY_RETRY_AFTER_MS,
  });
}

function unwell(said: string, next: string, details: Details): RetryableError {
  return new RetryableError(`${said}; next: ${next}`, { code: 'broker.unavailable', details });
}

function unauthorized(said: string, details: Details): FatalTaskError {
  return new FatalTaskError(`${said}; next: check the access key, the secret key and what they are allowed to do`, {
    code: 'broker.unauthorized',
    details,
  });
}
