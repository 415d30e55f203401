/** What every `LogBroker` does, one case at a time on a log of its own. */
import { contractSuite } from './cases.ts';
import { filterCases } from './log-broker/filters.ts';
import { groupCases } from './log-broker/groups.ts';
import { caseLog, type LogBrokerContract } from './log-broker/log-under-test.ts';
import { modelCases } from './log-broker/model.ts';
import { readCases } from './log-broker/reads.ts';
import { sendCases } from './log-broker/sends.ts';
import { timeCases } from './log-broker/times.ts';
import { topicCases } from './log-broker/topics.ts';
import { watchCases } from './log-broker/watch.ts';

export function logBrokerContract({ name, newBroker, skip, propertyRuns, timeoutMs }: LogBrokerContract): void {
  contractSuite({
    title: `LogBroker: ${name}`,
    skip,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    start: async () => caseLog(await newBroker()),
    groups: {
      topics: topicCases,
      send: sendCases,
      read: readCases,
      filter: filterCases,
      offsetAt: timeCases,
      watch: watchCases,
      groups: groupCases,
      model: (check) => modelCases(check, propertyRuns),
    },
  });
}
