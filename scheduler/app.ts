/** The HTTP API: Kafka Connect's routes, and below `/sortie/v1` what it has no word for. Every error's body is `{ error_code, message }`. */
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { errorCodes } from '../core/error-codes.ts';
import { ConfigError, ConnectError, FencedError } from '../core/errors.ts';
import type { AppDeps } from './app-deps.ts';
import { guardAnswer } from './http/answer-headers.ts';
import { limitTime } from './http/limits.ts';
import { demandLoopbackName, refuseOtherSites } from './http/other-sites.ts';
import { ApiError, STALE } from './routes/api-error.ts';
import { configRoutes } from './routes/config.ts';
import { connectorRoutes } from './routes/connectors.ts';
import type * as entities from './routes/entities.ts';
import { loggerRoutes } from './routes/loggers.ts';
import { mount } from './routes/mount.ts';
import { offsetRoutes } from './routes/offsets.ts';
import { openApiRoute } from './routes/openapi-route.ts';
import { pluginRoutes } from './routes/plugins.ts';
import type { Route } from './routes/route.ts';
import { serverRoutes } from './routes/server.ts';
import type * as sortieEntities from './routes/sortie/entities.ts';
import { sortieRoutes } from './routes/sortie/routes.ts';
import { stateRoutes } from './routes/states.ts';
import { statusRoutes } from './routes/status.ts';
import { topicRoutes } from './routes/topics.ts';

export type { Access, ApiKey, Role } from './http/api-keys.ts';

type Shapes = typeof entities & typeof sortieEntities;

/** What an answer looks like to clients, by the name of its shape: `Entity<'ConnectorStateInfo'>`. */
export type Entity<Name extends keyof Shapes> = Shapes[Name] extends z.ZodType ? z.output<Shapes[Name]> : never;

export function newApp(deps: AppDeps): Hono {
  const routes: Route[] = [
    ...serverRoutes,
    ...connectorRoutes,
    ...configRoutes,
    ...statusRoutes,
    ...stateRoutes,
    ...offsetRoutes,
    ...pluginRoutes,
    ...loggerRoutes,
    ...topicRoutes,
    ...sortieRoutes(),
    openApiRoute(() => routes),
  ];
  const app = new Hono({ strict: false });
  app.use(guardAnswer, refuseOtherSites, limitTime);
  if (deps.access.keys.length === 0) app.use(demandLoopbackName);
  mount(app, routes, deps);
  app.notFound(() => answer(404, 'HTTP 404 Not Found'));
  app.onError((error, { req }) => errorAnswer(error, `${req.method} ${req.path}`, deps));
  return app;
}

function errorAnswer(error: Error, request: string, { telemetry }: AppDeps): Response {
  if (error instanceof ApiError) return answer(error.status, error.message, error.headers);
  if (error instanceof HTTPException) return answer(error.status, error.message);
  if (error instanceof ConfigError)
    return answer(errorCodes[error.code].http, error.issues.map(({ message }) => message).join('\n'));
  if (error instanceof FencedError) return answer(409, STALE);
  telemetry.log('error', `${request}: ${error.message}`, { stack: error.stack });
  if (error instanceof ConnectError) return answer(errorCodes[error.code].http, error.message);
  return answer(500, 'Internal error; the log of the server says more');
}

function answer(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ error_code: status, message }, { status, headers });
}
