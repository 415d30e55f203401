// `npm run docs`: writes the pages of docs/ that are made from the code. A unit test fails while one of them is stale.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT } from '../paths.mjs';
import { generatedPages } from './generated-pages.ts';

for (const [path, text] of await generatedPages()) {
  writeFileSync(join(ROOT, path), text);
  process.stdout.write(`wrote ${path}\n`);
}
