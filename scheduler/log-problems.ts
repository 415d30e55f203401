/** What a configuration asks of the log that this one never does: told while somebody looks, and not when it runs. */
import { Runtime } from '../core/config/connector-config.ts';
import { hasPlaceholder } from '../core/config/placeholders.ts';
import { FILTER_KEYS, recordFilterOf } from '../core/config/record-filter.ts';
import { type ConfigIssue, RetryableError } from '../core/errors.ts';
import type { LogBroker, RecordFilter } from '../core/ports.ts';

/** What a source calls its topics is its plugin's own affair. */
const AskedOfLog = Runtime.pick({
  topics: true,
  'errors.deadletterqueue.topic.name': true,
  'consumer.override.filter.tags': true,
  'consumer.override.filter.sql': true,
});

type Answering = Pick<LogBroker, 'topicProblem' | 'filterProblem'>;

/** Of what is written out; an invocation looks at what placeholders stand for. */
export async function logProblems(
  broker: Answering,
  sent: Readonly<Record<string, string | null>>,
): Promise<readonly ConfigIssue[]> {
  const written = Object.entries(sent).filter(([, value]) => value !== null && !hasPlaceholder(value));
  const { data: asked } = AskedOfLog.safeParse(Object.fromEntries(written));
  // What is wrong with it as it stands is told by others.
  if (asked === undefined) return [];
  const { topics, 'errors.deadletterqueue.topic.name': deadLetters } = asked;
  return [
    ...topics.flatMap((topic) => issueOf('topics', broker.topicProblem(topic))),
    ...(deadLetters === undefined ? [] : issueOf('errors.deadletterqueue.topic.name', broker.topicProblem(deadLetters))),
    ...(await filterIssues(broker, recordFilterOf(asked))),
  ];
}

/** A broker that does not answer now keeps nobody from writing a configuration. */
async function filterIssues(broker: Answering, filter: RecordFilter | null): Promise<readonly ConfigIssue[]> {
  if (filter === null) return [];
  try {
    return issueOf(FILTER_KEYS[filter.kind], await broker.filterProblem(filter));
  } catch (error) {
    if (error instanceof RetryableError) return [];
    throw error;
  }
}

function issueOf(path: string, message: string | null): readonly ConfigIssue[] {
  return message === null ? [] : [{ path, message }];
}
