// ESLint runs only the rules that Biome cannot: those that need types, and the ban on hidden time, randomness and environment.
// Waiting, time and randomness come in through ports, so that the simulation can run the same code under a virtual clock.

import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** @param {string} port */
const throughAPort = (port) =>
  `Take it from ${port} in \`deps\`: the same code runs under a virtual clock and seeded randomness.`;
const readByEntries = 'Only an entry reads the environment. Take the value as a parameter.';

const time = throughAPort('the clock');
const waiting = throughAPort('the timers');
const randomness = throughAPort('the random source');
const backtracking = 'Whoever writes a pattern may make it take for ever. Compile it with plugins/pattern.ts.';

/** @type {import('eslint').Linter.RulesRecord} */
const hiddenInputs = {
  'no-restricted-globals': [
    'error',
    {
      checkGlobalObject: true,
      globals: ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({ name, message: waiting })),
    },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...['timers', 'timers/promises'].map((name) => ({ name, message: waiting })),
        ...['node:timers', 'node:timers/promises'].map((name) => ({ name, message: waiting })),
        ...['node:perf_hooks', 'perf_hooks'].map((name) => ({ name, message: time })),
        ...['node:crypto', 'crypto'].map((name) => ({
          name,
          importNames: ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'getRandomValues', 'webcrypto'],
          message: randomness,
        })),
      ],
    },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: time },
    { selector: 'CallExpression[callee.name="Date"]', message: time },
    { selector: 'MemberExpression[property.name="now"][object.property.name=/^(Date|performance)$/]', message: time },
    { selector: 'MemberExpression[property.name="random"][object.property.name="Math"]', message: randomness },
    // A literal is written by somebody who knows; what is made at run time may be made of anything.
    { selector: 'NewExpression[callee.name="RegExp"], CallExpression[callee.name="RegExp"]', message: backtracking },
  ],
};

const hiddenProperties = [
  { object: 'Date', property: 'now', message: time },
  { object: 'performance', property: 'now', message: time },
  { object: 'performance', property: 'timeOrigin', message: time },
  { object: 'process', property: 'hrtime', message: time },
  { object: 'Math', property: 'random', message: randomness },
  { property: 'randomUUID', message: randomness },
  { property: 'getRandomValues', message: randomness },
];

const hiddenEnvironment = [
  { object: 'process', property: 'env', message: readByEntries },
  { object: 'process', property: 'argv', message: readByEntries },
];

export default defineConfig(
  { ignores: ['**/node_modules/**', '**/dist/**', '**/coverage/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
    },
  },
  {
    files: ['{core,clients,plugins,functions,scheduler}/**/*.ts'],
    rules: { ...hiddenInputs, 'no-restricted-properties': ['error', ...hiddenProperties, ...hiddenEnvironment] },
  },
  {
    files: ['{functions,scheduler}/entry/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', ...hiddenProperties] },
  },
);
