import { describe, expect, test } from 'vitest';
import { errorsPage } from '../../../../tools/docs/errors-page.ts';

describe('errorsPage', () => {
  test('groups codes, and gives meaning, next step, HTTP status and exit code of each', () => {
    const codes = {
      'broker.away': { meaning: 'It is away.', http: 503, exit: 3, next: 'Wait.' },
      'broker.odd': { meaning: 'It is odd.', http: 500, exit: 1, next: 'Look.' },
    } as const;

    expect(errorsPage(codes)).toContain(
      '## broker\n\n### `broker.away`\n\nIt is away.\n\n**Next:** Wait.\n\nHTTP 503, exit code 3.\n\n### `broker.odd`\n\nIt is odd.',
    );
  });
});
