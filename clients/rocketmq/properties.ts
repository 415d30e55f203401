/** A message's properties: `name 0x01 value 0x02`, repeated. Neither may hold these two, nor be empty; of one name the last counts. */

export const BEFORE_VALUE = 0x01;
export const BEHIND_VALUE = 0x02;

/** A stretch of a message's bytes. */
export interface Place {
  readonly at: number;
  readonly end: number;
}

/** Whether a text can be the name or the value of a property: a broker drops empty ones, and would take others for several. */
export function isPropertyText(text: string): boolean {
  return text !== '' && !text.includes('\u0001') && !text.includes('\u0002');
}

/** Where the value of a property lies; `null` without one. `name` in UTF-8. */
export function findProperty(bytes: Uint8Array, { at, end }: Place, name: Uint8Array): Place | null {
  let found: Place | null = null;
  let nameAt = at;
  while (nameAt < end) {
    const behind = endOfProperty(bytes, nameAt, end);
    if (bytes[nameAt + name.length] === BEFORE_VALUE && startsWith(bytes, nameAt, name)) {
      found = { at: nameAt + name.length + 1, end: behind };
    }
    nameAt = behind + 1;
  }
  return found;
}

/** All of them, in order. */
export function readProperties(bytes: Buffer, { at, end }: Place): readonly (readonly [name: string, value: string])[] {
  const properties: (readonly [string, string])[] = [];
  let nameAt = at;
  while (nameAt < end) {
    const behind = endOfProperty(bytes, nameAt, end);
    const between = bytes.indexOf(BEFORE_VALUE, nameAt);
    if (between > nameAt && between < behind) {
      properties.push([bytes.toString('utf8', nameAt, between), bytes.toString('utf8', between + 1, behind)]);
    }
    nameAt = behind + 1;
  }
  return properties;
}

/** The last one may be without its end. */
function endOfProperty(bytes: Uint8Array, at: number, end: number): number {
  let behind = at;
  while (behind < end && bytes[behind] !== BEHIND_VALUE) behind += 1;
  return behind;
}

function startsWith(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index += 1) if (bytes[at + index] !== name[index]) return false;
  return true;
}

/** What RocketMQ itself keeps among the properties: `MessageConst.java` of 5.3.3 and what brokers add. */
const RESERVED = new Set(
  `KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET BUYER_ID ORIGIN_MESSAGE_ID
  TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME MSG_REGION TRACE_ON UNIQ_KEY EXTEND_UNIQ_INFO MAX_RECONSUME_TIMES
  CONSUME_START_TIME INNER_NUM INNER_BASE DUP_INFO CHECK_IMMUNITY_TIME_IN_SECONDS TRAN_PREPARED_QUEUE_OFFSET INSTANCE_ID
  CORRELATION_ID REPLY_TO_CLIENT TTL ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE POP_CK POP_CK_OFFSET 1ST_POP_TIME
  TRANSACTION_CHECK_TIMES DLQ_ORIGIN_TOPIC DLQ_ORIGIN_MESSAGE_ID`.split(/\s+/),
);

/** Whether a name belongs to RocketMQ; so do all that begin with two underscores, and those of timers. */
export function isReservedProperty(name: string): boolean {
  return RESERVED.has(name) || name.startsWith('__') || name.startsWith('TIMER_');
}
