/** What a route demands of whoever asks, before anything of a body is read. */
import type { MiddlewareHandler } from 'hono';
import { type Access, demandRole, type Role } from './api-keys.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Of whoever asks; of a route that is open to anyone, `read`. */
    role: Role;
  }
}

export function demanding(access: Access, role: Role | 'anyone'): MiddlewareHandler {
  return async (context, next) => {
    context.set('role', role === 'anyone' ? 'read' : await demandRole(access, context.req.header('authorization'), role));
    await next();
  };
}
