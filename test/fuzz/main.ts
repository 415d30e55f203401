/**
 * npm run fuzz -- [--requests N] [--seed S] [--route TEXT] [--json]
 *
 * --requests N    requests to each route; 20,000 unless given
 * --seed S        where they begin: the same seed sends the same; 1 unless given
 * --route TEXT    only routes that contain it, such as "PUT /connectors"
 * --json          one object on the last line
 */
import { parseArgs } from 'node:util';
import { anApi } from '../support/api.ts';
import { openApiOf } from '../support/openapi-answers.ts';
import { fuzzRoute, operationsOf } from './fuzz-route.ts';

const REQUESTS = 20_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: String(REQUESTS) },
      seed: { type: 'string', default: '1' },
      route: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const { requests, seed } = { requests: Number(values.requests), seed: Number(values.seed) };
  if (!Number.isSafeInteger(requests) || !Number.isSafeInteger(seed)) {
    console.error('fuzz: --requests and --seed are whole numbers');
    return 2;
  }
  const document = await openApiOf(anApi().app);
  let sent = 0;
  const violations: object[] = [];
  for (const operation of operationsOf(document)) {
    const route = `${operation.method} ${operation.path}`;
    if (!route.includes(values.route)) continue;
    const result = await fuzzRoute(operation, { document, requests, seed });
    sent += result.requests;
    const statuses = [...result.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    console.error(`${route.padEnd(60)} ${statuses.join(', ')}`);
    if (result.violation === null) continue;
    violations.push({ route, ...result.violation });
    console.error(`${result.violation.what}\n${JSON.stringify(result.violation.request, null, 1)}`);
  }
  if (values.json) console.log(JSON.stringify({ ok: violations.length === 0, requests: sent, seed, violations }));
  else console.log(`${sent} requests, ${violations.length} violations${violations.length === 0 ? '' : `; seed ${seed}`}`);
  return violations.length === 0 ? 0 : 1;
}
