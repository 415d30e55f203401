/** What is written by hand about the code is still true of it, as far as a program can tell. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../../tools/paths.mjs';
import { faultNames } from '../../simulation/faults/faults.ts';

/** Decisions are dated: what they name was there then. */
const PAGES = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/{,plugins/}*.md', { cwd: ROOT })];
const DECISIONS = globSync('docs/adr/*.md', { cwd: ROOT });

/** Layers whose rules wait for them. Take a path out when it is there. */
const NOT_YET = new Set(['scheduler/entry/']);

const PATH = /`((?:core|clients|plugins|adapters|functions|scheduler|cli|test|bench|tools|docs)\/[\w./-]*)`/g;
const LINK = /\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g;

describe('pages', () => {
  test.each(PAGES)('%s names only files that are there', (page) => {
    const named = matches(page, PATH).filter((path) => !NOT_YET.has(path));

    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test.each([...PAGES, ...DECISIONS])('%s links only to files that are there', (page) => {
    const linked = matches(page, LINK).map((link) => join(dirname(page), link));

    expect(linked.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('paths that are not there yet are not there yet', () => {
    expect([...NOT_YET].filter((path) => existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('docs/simulation.md explains every fault', () => {
    const text = readFileSync(join(ROOT, 'docs/simulation.md'), 'utf8');

    expect(faultNames.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

function matches(page: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(join(ROOT, page), 'utf8').matchAll(pattern)].map(([, found = '']) => found);
}
