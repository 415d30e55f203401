/** The table of Kafka Connect's routes. */
import { configSituations } from './config-situations.ts';
import { connectorSituations } from './connector-situations.ts';
import { loggerSituations } from './logger-situations.ts';
import { offsetSituations } from './offset-situations.ts';
import { pluginSituations } from './plugin-situations.ts';
import { serverSituations } from './server-situations.ts';
import type { Situation } from './situation.ts';
import { stateSituations } from './state-situations.ts';
import { statusSituations } from './status-situations.ts';
import { topicSituations } from './topic-situations.ts';

export const situations: readonly Situation[] = [
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
