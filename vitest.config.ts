import { globSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      project('unit', { groupOrder: 1 }),
      project('contract', { groupOrder: 1 }),
      typesProject(),
      // By itself, when all others are through: it uses every core.
      project('simulation', { groupOrder: 2 }),
      // With real servers, which `npm run test:real` alone starts.
      project('real', { groupOrder: 3 }),
    ],
    // Tests of processes mostly wait for them: on two cores four workers take 87 s where two took 116.
    maxWorkers: 4,
  },
});

/**
 * The files of a project share a process and its module graph, which is ten times faster than a fresh one per file. That is safe
 * because no module of ours has state and no test mocks a module; what Vitest itself changes is put back after each test.
 */
function project(name: string, { groupOrder }: { readonly groupOrder: number }): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [files(name, '*.test.ts')],
      environment: 'node',
      pool: 'forks',
      isolate: false,
      // What takes a second of a core may take ten where four workers share two that have something else to do.
      testTimeout: 30_000,
      sequence: { groupOrder },
      restoreMocks: true,
      unstubEnvs: true,
      unstubGlobals: true,
    },
  };
}

/** Tests for the compiler: nothing of them runs, `tsc` decides. */
function typesProject(): TestProjectInlineConfiguration {
  const include = [files('types', '*.test-d.ts')];
  return {
    test: {
      name: 'types',
      include: [],
      typecheck: { enabled: true, only: true, ignoreSourceErrors: true, include, tsconfig: 'tsconfig.node.json' },
    },
  };
}

/** A project without files is an error, so that a moved folder cannot pass silently. */
function files(name: string, pattern: string): string {
  const glob = `test/${name}/**/${pattern}`;
  if (globSync(glob, { cwd: import.meta.dirname }).length === 0) {
    throw new Error(`Test project '${name}' is empty: ${glob} matches nothing. Add one, or take it out of vitest.config.ts.`);
  }
  return glob;
}
