/** Tests of a table of situations, and of the table: no route below its paths is without a line. */
import { describe, expect, test } from 'vitest';
import { anApi } from '../../support/api.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { openApiOf } from '../../support/openapi-answers.ts';
import { vaultSink } from '../../support/vault-sink.ts';
import type { Situation } from './situation.ts';

export function testSituations(
  situations: readonly Situation[],
  { isOurs }: { readonly isOurs: (path: string) => boolean },
): void {
  const routes = [...new Set(situations.map(({ route }) => route))];

  describe.each(routes)('%s', (route) => {
    const own = situations
      .filter((situation) => situation.route === route)
      .map((situation) => [situation.what, situation] as const);

    test.each(own)('%s', async (_what, { deps = {}, given, path, ask, status, body = null, headers = {}, then }) => {
      const [method = '', template = ''] = route.split(' ');
      const source = memorySource(memorySystem({ rows: rows(3) }));
      const api = anApi({ plugins: [memorySink(memoryTarget('append')), source, vaultSink], deps });
      await given?.(api);

      const answer = await api.ask(method, path ?? template, ask);

      expect(answer).toMatchObject({ status, body });
      expect(answer.body).toEqual(body);
      expect(Object.fromEntries(answer.headers)).toMatchObject(headers);
      await then?.(api);
    });
  });

  test('the table has every route of the OpenAPI document', async () => {
    const { paths } = await openApiOf(anApi().app);

    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      isOurs(path) ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`) : [],
    );
    expect(documented.sort()).toEqual([...routes].sort());
  });
}
