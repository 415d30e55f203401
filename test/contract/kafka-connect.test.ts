/** Every route of Kafka Connect's API in every situation there is a word on, with its exact answer. */
import { configSituations } from './kafka-connect/config-situations.ts';
import { connectorSituations } from './kafka-connect/connector-situations.ts';
import { loggerSituations } from './kafka-connect/logger-situations.ts';
import { offsetSituations } from './kafka-connect/offset-situations.ts';
import { pluginSituations } from './kafka-connect/plugin-situations.ts';
import { serverSituations } from './kafka-connect/server-situations.ts';
import { stateSituations } from './kafka-connect/state-situations.ts';
import { statusSituations } from './kafka-connect/status-situations.ts';
import { testSituations } from './kafka-connect/test-situations.ts';
import { topicSituations } from './kafka-connect/topic-situations.ts';

const situations = [
  ...serverSituations,
  ...connectorSituations,
  ...configSituations,
  ...statusSituations,
  ...stateSituations,
  ...offsetSituations,
  ...pluginSituations,
  ...loggerSituations,
  ...topicSituations,
];

testSituations(situations, { isOurs: (path) => !path.startsWith('/sortie/') });
