/** What a configuration asks of the log that this one never does: told while somebody looks, and not when it runs. */
import { Runtime } from '../core/config/connector-config.ts';
import type { ConfigIssue } from '../core/errors.ts';
import type { LogBroker } from '../core/ports.ts';

/** Keys that name topics of the log itself; what a source calls its topics is its plugin's own affair. */
const TOPIC_KEYS = ['topics', 'errors.deadletterqueue.topic.name'] as const;

export function logProblems(
  broker: Pick<LogBroker, 'topicProblem'>,
  sent: Readonly<Record<string, string | null>>,
): readonly ConfigIssue[] {
  return TOPIC_KEYS.flatMap((path) => {
    const topics = Runtime.shape[path].safeParse(sent[path] ?? undefined).data ?? [];
    return [topics].flat().flatMap((topic) => {
      const message = broker.topicProblem(topic);
      return message === null ? [] : [{ path, message }];
    });
  });
}
