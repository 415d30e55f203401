/** Every route below `/sortie/v1` in every situation there is a word on, with its exact answer. */
import { testSituations } from './kafka-connect/test-situations.ts';
import { recordSituations } from './sortie-api/record-situations.ts';
import { runSituations } from './sortie-api/run-situations.ts';
import { shardSituations } from './sortie-api/shard-situations.ts';

testSituations([...shardSituations, ...runSituations, ...recordSituations], { isOurs });

/** But for the one whose answer never ends: `events.test.ts` has it. */
function isOurs(path: string): boolean {
  return path.startsWith('/sortie/') && path !== '/sortie/v1/events';
}
