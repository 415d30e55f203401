/** Makes an application answer a table of routes: reads requests, writes answers, and refuses what no route takes. */
import type { Context, Hono } from 'hono';
import { assert } from '../../core/assert.ts';
import type { AppDeps } from '../app-deps.ts';
import { limitBody } from '../http/limits.ts';
import { demanding } from '../http/roles.ts';
import { ApiError } from './api-error.ts';
import { Query } from './query.ts';
import { readBody } from './request-body.ts';
import type { Answer, Route } from './route.ts';

export function mount(app: Hono, routes: readonly Route[], deps: AppDeps): void {
  for (const route of routes) {
    const run = (context: Context): Promise<Response> => answer(deps, route, context);
    app.on(route.method, honoPath(route.path), demanding(deps.access, route.role), limitBody, run);
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.flatMap((route) => (route.path === path ? route.method : []));
    // What answers GET answers HEAD.
    const allow = methods.flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : method)).join(', ');
    app.all(honoPath(path), () => {
      throw new ApiError(405, 'HTTP 405 Method Not Allowed', { allow });
    });
  }
}

async function answer(deps: AppDeps, route: Route, context: Context): Promise<Response> {
  const query = new Query(new URL(context.req.url).searchParams);
  const body = route.body === undefined ? undefined : await readBody(context.req.raw, route.body);
  const { signal } = context.req.raw;
  const param = (name: string): string => paramOf(context, name);
  const answered = await route.run(deps, { param, query, body, role: context.get('role'), signal });
  return response(context.req.method === 'HEAD' ? await headOf(answered) : answered);
}

/** Nobody would read its stream, or end it. */
async function headOf({ stream, ...answer }: Answer): Promise<Answer> {
  await stream?.cancel();
  return answer;
}

function paramOf(context: Context, name: string): string {
  const value = context.req.param(name);
  assert(value !== undefined, `no ${name} in ${context.req.path}`);
  return value;
}

function response({ status, body, stream, headers = {} }: Answer): Response {
  return body === undefined ? new Response(stream ?? null, { status, headers }) : Response.json(body, { status, headers });
}

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
