/** The HTTP API: Kafka Connect's routes, as far as they exist so far. Every error's body is `{ error_code, message }`. */
import { Hono } from 'hono';
import { errorCodes } from '../core/error-codes.ts';
import { ConfigError, ConnectError } from '../core/errors.ts';
import type { AppDeps } from './app-deps.ts';
import { ApiError } from './routes/api-error.ts';
import { connectorRoutes } from './routes/connectors.ts';

/** The version of Kafka Connect whose API this is: clients choose what they send by it. */
const API_VERSION = '4.1.0';

export function newApp(deps: AppDeps): Hono {
  const app = new Hono({ strict: false });
  app.get('/', (context) => context.json({ version: API_VERSION, commit: deps.commit, kafka_cluster_id: 'sortie' }));
  app.get('/health', async (context) => {
    // Whoever cannot read the store can do nothing for anybody.
    await deps.store.get({ partition: 'health', sort: 'health' });
    return context.json({ status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' });
  });
  app.route('/connectors', connectorRoutes(deps));
  app.notFound((context) => context.json({ error_code: 404, message: 'HTTP 404 Not Found' }, 404));
  app.onError((error, context) => {
    if (error instanceof ApiError) return context.json({ error_code: error.status, message: error.message }, error.status);
    if (error instanceof ConfigError) return context.json(answerTo(error), errorCodes[error.code].http as 400);
    const status = error instanceof ConnectError ? errorCodes[error.code].http : 500;
    deps.telemetry.log('error', `${context.req.method} ${context.req.path}: ${error.message}`, { stack: error.stack });
    const message = error instanceof ConnectError ? error.message : 'Internal error; the log of the server says more';
    return context.json({ error_code: status, message }, status as 500);
  });
  return app;
}

function answerTo({ issues, code }: ConfigError): { readonly error_code: number; readonly message: string } {
  return { error_code: errorCodes[code].http, message: issues.map(({ message }) => message).join('\n') };
}
