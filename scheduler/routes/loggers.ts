/** What is logged: by everything (`root`), or by one connector (`connector.NAME`). */
import type { z } from 'zod';
import { readConnector } from '../../core/connector.ts';
import { LOG_THRESHOLDS, type LoggerLevel as LoggedFrom } from '../../core/ports.ts';
import type { AppDeps } from '../app-deps.ts';
import { ApiError } from './api-error.ts';
import { LoggerLevel, LoggerLevels, LoggerNames, SetLevelRequest } from './entities.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

const CONNECTOR = 'connector.';

export const loggerRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/admin/loggers',
    role: 'read',
    summary: 'The loggers whose level was set, root among them',
    answers: { 200: { description: 'Levels by logger', body: LoggerLevels } },
    run: list,
  }),
  defineRoute({
    method: 'GET',
    path: '/admin/loggers/{logger}',
    role: 'read',
    summary: 'The level of a logger',
    answers: { 200: { description: 'The level', body: LoggerLevel } },
    run: show,
  }),
  defineRoute({
    method: 'PUT',
    path: '/admin/loggers/{logger}',
    role: 'operate',
    summary: 'Sets the level of a logger until the process ends',
    query: [
      {
        name: 'scope',
        description: 'cluster: there is no answer but that it is done. Anything else is worker.',
        schema: { type: 'string', examples: ['worker', 'cluster'] },
      },
    ],
    body: { schema: SetLevelRequest, numbers: 'text' },
    answers: {
      200: { description: 'The loggers whose level is another now', body: LoggerNames },
      204: { description: 'It is set' },
    },
    run: setLevel,
  }),
];

async function list({ loggers }: AppDeps): Promise<Answer> {
  return { status: 200, body: Object.fromEntries([...loggers.all()].map(([logger, level]) => [logger, shown(level)])) };
}

async function show(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const logger = param('logger');
  const levels = deps.loggers.all();
  const own = levels.get(logger);
  if (own !== undefined) return { status: 200, body: shown(own) };
  const root = levels.get('root');
  // One that was not set logs what root does, and always did.
  if (root === undefined || !(await isLogger(deps, logger))) throw notFound(logger);
  return { status: 200, body: shown({ ...root, setAtMs: null }) };
}

async function setLevel(deps: AppDeps, { param, query, body }: Call<z.output<typeof SetLevelRequest>>): Promise<Answer> {
  const logger = param('logger');
  if (!(await isLogger(deps, logger))) throw notFound(logger);
  const { level } = body;
  if (level === undefined || level === null) throw new ApiError(400, "Desired 'level' parameter was not specified in request.");
  const threshold = LOG_THRESHOLDS.find((name) => name === level.toUpperCase());
  if (threshold === undefined) throw new ApiError(404, `invalid log level '${level}'.`);
  deps.loggers.set(logger, threshold);
  return query.first('scope')?.toLowerCase() === 'cluster' ? { status: 204 } : { status: 200, body: [logger] };
}

async function isLogger(deps: AppDeps, logger: string): Promise<boolean> {
  if (!logger.startsWith(CONNECTOR)) return logger === 'root';
  return (await readConnector(deps, logger.slice(CONNECTOR.length))) !== null;
}

function shown({ threshold, setAtMs }: LoggedFrom): z.output<typeof LoggerLevel> {
  return { level: threshold, last_modified: setAtMs };
}

function notFound(logger: string): ApiError {
  return new ApiError(404, `Logger ${logger} not found.`);
}
