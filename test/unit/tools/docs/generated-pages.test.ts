import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generatedPages } from '../../../../tools/docs/generated-pages.ts';
import { ROOT } from '../../../../tools/paths.mjs';

const pages = await generatedPages();

describe('generatedPages', () => {
  test.each([...pages])('%s says what the code says (npm run docs writes it anew)', (path, text) => {
    const file = join(ROOT, path);

    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(text);
  });
});
