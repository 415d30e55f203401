import { join } from 'node:path';
import { ROOT } from './paths.mjs';

/**
 * What Node is given to run the product: `node ...SORTIE start`.
 *
 * Without the flags, `sortie start` with a thousand connectors, asked by fifty clients, holds 410 MB, and with them 165 MB; its live
 * objects are 27 MB (`npm run bench -- api`, Node 24.21). They hold for its threads of invocations too. On the command line, since
 * Node warns of setting such flags later.
 */
export const SORTIE = [
  // What the young may take, in MB, twice over: what Node 22 has by itself. Node 24 lets them grow to several times as much.
  '--max-semi-space-size=16',
  // The old are collected once there is half as much again as was left the last time, rather than several times as much.
  '--heap-growing-percent=50',
  join(ROOT, 'cli', 'sortie.mjs'),
];
