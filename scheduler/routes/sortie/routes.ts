/** What Kafka Connect has no word for. */
import type { Route } from '../route.ts';
import { runRoutes } from './runs.ts';
import { shardRoutes } from './shards.ts';
import { whyRoutes } from './why.ts';

export const sortieRoutes: readonly Route[] = [...shardRoutes, ...runRoutes, ...whyRoutes];
