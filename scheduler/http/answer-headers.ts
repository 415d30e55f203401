/** What every answer says to whatever carries or shows it. */
import type { MiddlewareHandler } from 'hono';

export const guardAnswer: MiddlewareHandler = async (context, next) => {
  await next();
  const { headers } = context.res;
  // It says what is so now, and may hold what nobody else may see.
  headers.set('cache-control', 'no-store');
  // A browser that is shown it takes it for what it is, and for no page.
  headers.set('x-content-type-options', 'nosniff');
};
