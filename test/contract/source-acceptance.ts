/** What every source does. A new one is one more call of `sourceAcceptance`, with a system that its readers read. */
import { contractSuite } from './cases.ts';
import { configurationCases } from './plugin-configuration.ts';
import { discoveryCases } from './source/discovery.ts';
import { pollingCases, positionCases } from './source/polling.ts';
import { caseSource, type SourceAcceptance } from './source/source-under-test.ts';

export function sourceAcceptance({ plugin, requiredKeys, newSystem, skip }: SourceAcceptance): void {
  contractSuite({
    title: `Source: ${plugin.name}`,
    skip,
    start: async () => caseSource(plugin, await newSystem()),
    groups: {
      configuration: (check) => configurationCases(check, { config: plugin.config, requiredKeys }),
      discovery: discoveryCases,
      polling: pollingCases,
      ...(plugin.exactlyOnce && { positions: positionCases }),
    },
  });
}
