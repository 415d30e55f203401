/** The description of all routes, itself among them. */
import { OpenApi } from './entities.ts';
import { type OpenApiDocument, openApiDocument } from './openapi.ts';
import { defineRoute, type Route } from './route.ts';
import { API_VERSION } from './server.ts';

export function openApiRoute(routes: () => readonly Route[]): Route {
  // It takes its time to make, and most servers are never asked for it.
  let document: OpenApiDocument | undefined;
  return defineRoute({
    method: 'GET',
    path: '/openapi.json',
    role: 'read',
    summary: 'All routes, in OpenAPI 3.1',
    answers: { 200: { description: 'The document', body: OpenApi } },
    run: async () => {
      document ??= openApiDocument(routes(), { version: API_VERSION });
      return { status: 200, body: document };
    },
  });
}
