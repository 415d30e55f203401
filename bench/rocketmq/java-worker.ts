/** What the Java worker of Apache RocketMQ Connect does: not measured here, for it takes minutes to warm up. */

export const JAVA_WORKER_SOURCE =
  'Apache RocketMQ Connect 85da68c9 with RocketMQ 5.3.3 on OpenJDK 17, warm, one task, 2 cores with nothing else to do, measured 2026-11-22';

/** Records of 199 bytes that it sends, the better of two sizes of a poll. */
export const JAVA_SOURCE_PER_SECOND = 18_144;

/** Records of 200 bytes that it takes out of 4 queues into a file. */
export const JAVA_SINK_PER_SECOND = 69_724;

/** Of its processor time a record, the better of two. */
export const JAVA_SOURCE_CPU_US = 33;
export const JAVA_SINK_CPU_US = 22.5;
