// What each npm script runs, for tools/run.mjs. Arguments given after `--` go to a task's last command.

import { SORTIE } from './sortie-command.mjs';

/** @typedef {{ name: string, command: string[] }} Step */

const format = { name: 'format', command: ['biome', 'check', '--linter-enabled=false', '--error-on-warnings', '.'] };
const lintFast = { name: 'lint (biome)', command: ['biome', 'lint', '--error-on-warnings', '.'] };
// No cache: it looks at a file alone, and these rules depend on the types of other files.
const lintTyped = { name: 'lint (eslint)', command: ['eslint', '--max-warnings=0', '.'] };
const types = { name: 'types', command: ['tsc', '-b'] };
const layers = { name: 'layers', command: ['depcruise', '--config=.dependency-cruiser.cjs', '.'] };
const unused = { name: 'unused', command: ['knip'] };
const quickTests = projects('unit', 'contract', 'types');
// A quarter of what `npm test` runs.
const someSeeds = { name: 'simulation', command: ['node', 'test/simulation/main.ts', '--seeds', '500'] };

/** @type {Record<string, Step[]>} */
export const tasks = {
  // The compiler's own tests read the declarations that a build leaves.
  test: [types, { name: 'tests', command: ['vitest', 'run', ...projects('unit', 'contract', 'types', 'simulation')] }],
  'test:real': [{ name: 'tests with real servers', command: ['vitest', 'run', ...projects('real')] }],
  verify: [
    format,
    lintFast,
    types,
    lintTyped,
    layers,
    unused,
    { name: 'tests', command: ['vitest', 'run', ...quickTests] },
    someSeeds,
  ],
  bench: [{ name: 'bench', command: ['node', 'bench/main.ts'] }],
  simulate: [{ name: 'simulate', command: ['node', 'test/simulation/main.ts'] }],
  fuzz: [{ name: 'fuzz', command: ['node', 'test/fuzz/main.ts'] }],
  servers: [{ name: 'servers', command: ['node', 'servers/main.ts'] }],
  demo: [{ name: 'demo', command: ['node', 'demo/main.ts'] }],
  soak: [{ name: 'soak', command: ['node', 'demo/soak/main.ts'] }],
  sortie: [{ name: 'sortie', command: ['node', ...SORTIE] }],
  docs: [{ name: 'docs', command: ['node', 'tools/docs/main.ts'] }],
  format: [{ name: 'format', command: ['biome', 'check', '--linter-enabled=false', '--write', '.'] }],
  'format:check': [format],
  lint: [lintFast, lintTyped],
  types: [types],
  layers: [layers],
  unused: [unused],
};

/** @param {string[]} names */
function projects(...names) {
  return names.flatMap((name) => ['--project', name]);
}
