/** What every sink does. A new one is one more call of `sinkAcceptance`, with a target that its writers write to. */
import { unreachable } from '../../core/assert.ts';
import type { Effect } from '../../plugins/api/sink.ts';
import { contractSuite } from './cases.ts';
import { configurationCases } from './plugin-configuration.ts';
import { bytesCases, deliveryCases, refusalCases } from './sink/delivery.ts';
import { appendCases, overwriteCases, versionedCases } from './sink/redelivery.ts';
import { roundTripCases } from './sink/round-trip.ts';
import { caseSink, type SinkAcceptance, type SinkCase } from './sink/sink-under-test.ts';
import { transactionalCases } from './sink/transactional.ts';

export function sinkAcceptance({ plugin, requiredKeys, newTarget, skip }: SinkAcceptance): void {
  contractSuite({
    title: `Sink: ${plugin.name}`,
    skip,
    start: async () => caseSink(plugin, await newTarget()),
    groups: {
      configuration: (check) => configurationCases(check, { config: plugin.config, requiredKeys }),
      delivery: deliveryCases,
      [plugin.effect]: (check) => effectCases(check, plugin.effect),
      ...(plugin.reads === 'bytes' ? { bytes: bytesCases } : { 'round trip': roundTripCases }),
    },
  });
}

function effectCases(check: SinkCase, effect: Effect): void {
  switch (effect) {
    case 'transactional':
      transactionalCases(check);
      return;
    case 'versioned':
      versionedCases(check);
      break;
    case 'append':
      appendCases(check);
      break;
    case 'overwrite':
      overwriteCases(check);
      break;
    default:
      unreachable(effect);
  }
  refusalCases(check);
}
