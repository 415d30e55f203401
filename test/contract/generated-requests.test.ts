/** Requests made from the OpenAPI document, to each of its routes, hostile ones among them. `npm run fuzz` sends many more. */
import { describe, expect, test } from 'vitest';
import { fuzzRoute, operationsOf } from '../fuzz/fuzz-route.ts';
import { anApi } from '../support/api.ts';
import { openApiOf } from '../support/openapi-answers.ts';

const REQUESTS = 500;

const document = await openApiOf(anApi().app);

describe('generated requests', () => {
  test.each(operationsOf(document).map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    '%s fails for none, hangs for none, and changes nothing where it refuses',
    async (_, operation) => {
      const { violation } = await fuzzRoute(operation, { document, requests: REQUESTS, seed: 1 });

      expect(violation).toBeNull();
    },
    60_000,
  );
});
