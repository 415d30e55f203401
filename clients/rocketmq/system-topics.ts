/** Topics that RocketMQ keeps for itself: `TopicValidator.java` of 5.3.3, retries and dead letters of groups, and what its proxies make. */
const OWN = new Set(
  `TBW102 SCHEDULE_TOPIC_XXXX BenchmarkTest RMQ_SYS_TRANS_HALF_TOPIC RMQ_SYS_TRACE_TOPIC RMQ_SYS_TRANS_OP_HALF_TOPIC
  TRANS_CHECK_MAX_TIME_TOPIC SELF_TEST_TOPIC OFFSET_MOVED_EVENT DefaultHeartBeatSyncerTopic`.split(/\s+/),
);

const RETRY = '%RETRY%';

const OWN_PREFIXES = ['rmq_sys_', 'RMQ_SYS_', RETRY, '%DLQ%', '%SYS%'];

export function isSystemTopic(topic: string): boolean {
  return OWN.has(topic) || OWN_PREFIXES.some((prefix) => topic.startsWith(prefix));
}

/** The topic of what a group is to be given once more; `group` as it is on the wire. */
export function retryTopicOf(group: string): string {
  return `${RETRY}${group}`;
}
