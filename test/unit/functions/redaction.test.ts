import { describe, expect, test } from 'vitest';
import { Redaction } from '../../../functions/redaction.ts';

const USER = 'sortie';
const PASSWORD = 'sortie-S3cret!';

describe('Redaction', () => {
  test.each([
    ['the shorter one', [USER, PASSWORD]],
    ['the longer one', [PASSWORD, USER]],
  ])('hides the whole of a value that holds another one, whichever was put in first: %s', (_, values) => {
    const redaction = new Redaction();
    redaction.hide(values);

    const shown = redaction.text(`Access denied for user ${USER} using ${PASSWORD}`);

    expect(shown).toBe('Access denied for user [hidden] using [hidden]');
  });

  test('hides the whole of it also where the two belong to different connectors', () => {
    const redaction = new Redaction();
    redaction.hide([USER]);
    redaction.hide([PASSWORD]);

    const shown = redaction.fields({ url: `db://${USER}:${encodeURIComponent(PASSWORD)}@host` });

    expect(shown).toEqual({ url: 'db://[hidden]:[hidden]@host' });
  });
});
