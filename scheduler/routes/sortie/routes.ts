/** What Kafka Connect has no word for. */
import type { Route } from '../route.ts';
import { eventRoutes } from './events.ts';
import { peekRoutes } from './peek.ts';
import { Places } from './places.ts';
import { runRoutes } from './runs.ts';
import { sendRoutes } from './send.ts';
import { shardRoutes } from './shards.ts';
import { topicRoutes } from './topics.ts';
import { triggerRoutes } from './trigger.ts';
import { whyRoutes } from './why.ts';

/** Each looks at its connector four times a second: about as much as if somebody asked for its status as often. */
const WAITS_MAX = 64;

export function sortieRoutes(): readonly Route[] {
  const connectors = [...shardRoutes, ...runRoutes, ...triggerRoutes(new Places(WAITS_MAX)), ...whyRoutes];
  return [...connectors, ...topicRoutes, ...sendRoutes, ...peekRoutes, ...eventRoutes];
}
