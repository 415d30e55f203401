/** Every route of Kafka Connect's API in every situation there is a word on, with its exact answer. */
import { situations } from './kafka-connect/situations.ts';
import { testSituations } from './kafka-connect/test-situations.ts';

testSituations(situations, { isOurs: (path) => !path.startsWith('/sortie/') });
