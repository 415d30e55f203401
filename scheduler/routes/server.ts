/** What this is, and whether it is well. */
import { ConnectError, messageOf } from '../../core/errors.ts';
import type { AppDeps } from '../app-deps.ts';
import { ServerInfo, WorkerStatus } from './entities.ts';
import { type Answer, defineRoute, type Route } from './route.ts';
import { textStream } from './text-stream.ts';

/** The version of Kafka Connect whose API this is: clients choose what they send by it. */
export const API_VERSION = '4.1.0';

/** Prometheus' text format. https://prometheus.io/docs/instrumenting/exposition_formats/, read 2026-11-26 */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export const serverRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/',
    role: 'read',
    summary: 'What this is',
    answers: { 200: { description: 'Versions', body: ServerInfo } },
    run: async ({ commit }) => ({ status: 200, body: { version: API_VERSION, commit, kafka_cluster_id: 'sortie' } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/health',
    role: 'anyone',
    summary: 'Whether it is well',
    answers: {
      200: { description: 'It is', body: WorkerStatus },
      500: { description: 'It is not', body: WorkerStatus },
    },
    run: health,
  }),
  defineRoute({
    method: 'GET',
    path: '/metrics',
    role: 'read',
    summary: 'What it counts and measures, for Prometheus',
    answers: { 200: { description: 'Metrics in the text format of Prometheus', textType: METRICS_TYPE } },
    run: async ({ metricsText }) => {
      const stream = textStream(await metricsText());
      return { status: 200, headers: { 'content-type': METRICS_TYPE }, stream };
    },
  }),
];

/** As Kafka Connect's own. Whoever cannot read the store can do nothing for anybody. */
const HEALTHY_WITHIN_MS = 10_000;

const HEALTHY = 'Worker has completed startup and is ready to handle requests.';
const UNHEALTHY = 'Worker was unable to handle this request and may be unable to handle other requests.';

async function health({ store, clock, telemetry }: AppDeps): Promise<Answer> {
  const asked = new AbortController();
  try {
    const late = clock
      .sleep(HEALTHY_WITHIN_MS, asked.signal)
      .then(() => `The store has not answered within ${HEALTHY_WITHIN_MS} ms.`);
    const trouble = await Promise.race([store.get({ partition: 'health', sort: 'health' }).then(() => null), late]);
    return trouble === null ? { status: 200, body: { status: 'healthy', message: HEALTHY } } : unhealthy(trouble);
  } catch (error) {
    if (error instanceof ConnectError) return unhealthy(error.message);
    telemetry.log('error', `GET /health: ${messageOf(error)}`, {});
    return unhealthy('The log of the server says more.');
  } finally {
    asked.abort();
  }
}

function unhealthy(trouble: string): Answer {
  return { status: 500, body: { status: 'unhealthy', message: `${UNHEALTHY} ${trouble}` } };
}
