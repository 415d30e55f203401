// Who may import whom. `npm run layers` checks it, type-only imports included.

const roots = 'core|clients|plugins|adapters|functions|scheduler|cli|dashboard|servers|tools|test|bench|demo';

/** `from` may import itself and `allowed`, nothing else of ours. */
function layer(from, allowed, { exceptFrom } = {}) {
  return {
    name: `${from}-layer`,
    comment: `${from}/ may import only: ${[from, ...allowed].join(', ')}`,
    severity: 'error',
    from: { path: `^${from}/`, ...(exceptFrom === undefined ? {} : { pathNot: exceptFrom }) },
    to: { path: `^(${roots})/`, pathNot: `^(${[from, ...allowed].join('|')})/` },
  };
}

/** Only the entries of a hosted part choose adapters; the rest of it gets its dependencies as a parameter. */
function entriesOnly(from) {
  return {
    name: `${from}-adapters-in-entries`,
    comment: `only ${from}/entry/ imports adapters; the rest of ${from}/ gets them as \`deps\``,
    severity: 'error',
    from: { path: `^${from}/`, pathNot: `^${from}/entry/` },
    to: { path: '^adapters/' },
  };
}

/** The composition root is free; the rest of `from` talks to the scheduler over HTTP and knows only the types of its app. */
function clientOfScheduler(from, allowed) {
  const compositionRoot = '^cli/start(/|\\.ts$)';
  return [
    {
      name: `${from}-layer`,
      comment: `${from}/ may import only: ${[from, ...allowed, 'the types of scheduler/app.ts'].join(', ')}`,
      severity: 'error',
      from: { path: `^${from}/`, pathNot: compositionRoot },
      to: { path: `^(${roots})/`, pathNot: `^(${[from, ...allowed].join('|')})/|^scheduler/app\\.ts$` },
    },
    {
      name: `${from}-types-of-scheduler`,
      comment: `${from}/ imports scheduler/app.ts with \`import type\``,
      severity: 'error',
      from: { path: `^${from}/`, pathNot: compositionRoot },
      to: { path: '^scheduler/app\\.ts$', dependencyTypesNot: ['type-only'] },
    },
  ];
}

module.exports = {
  forbidden: [
    layer('core', []),
    layer('clients', ['core']),
    layer('plugins', ['core', 'clients']),
    layer('adapters', ['core', 'clients']),
    layer('functions', ['core', 'plugins', 'adapters']),
    layer('scheduler', ['core', 'plugins', 'adapters']),
    layer('servers', ['core', 'clients', 'adapters']),
    // The launcher starts before anything is installed; what writes documentation reads the code it documents.
    layer('tools', [], { exceptFrom: '^tools/docs/' }),
    layer('tools/docs', ['tools', 'core', 'plugins', 'functions', 'scheduler', 'cli']),
    entriesOnly('functions'),
    entriesOnly('scheduler'),
    ...clientOfScheduler('cli', ['core']),
    ...clientOfScheduler('dashboard', []),
    {
      name: 'nothing-imports-tests',
      comment: 'test/ and bench/ may import everything, and nothing imports them',
      severity: 'error',
      from: { pathNot: '^(test|bench|demo)/' },
      to: { path: '^(test|bench|demo)/' },
    },
    {
      name: 'no-cycle',
      comment: 'a cycle means that two files are one idea, or that a third one is missing',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'the import names a file or a package that is not there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-package-in-shipped-code',
      comment: 'what runs in production comes from `dependencies`',
      severity: 'error',
      from: { path: '^(core|clients|plugins|adapters|functions|scheduler|cli|dashboard)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    tsConfig: { fileName: 'tsconfig.node.json' },
  },
};
