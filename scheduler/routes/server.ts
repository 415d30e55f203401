/** What this is, and whether it is well. */
import { ConnectError } from '../../core/errors.ts';
import type { AppDeps } from '../app-deps.ts';
import { ServerInfo, WorkerStatus } from './entities.ts';
import { type Answer, defineRoute, type Route } from './route.ts';

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
    run: async ({ metricsText }) => ({ status: 200, headers: { 'content-type': METRICS_TYPE }, text: await metricsText() }),
  }),
];

/** Whoever cannot read the store can do nothing for anybody. */
async function health({ store }: AppDeps): Promise<Answer> {
  try {
    await store.get({ partition: 'health', sort: 'health' });
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { status: 500, body: { status: 'unhealthy', message: error.message } };
  }
  const message = 'Worker has completed startup and is ready to handle requests.';
  return { status: 200, body: { status: 'healthy', message } };
}
