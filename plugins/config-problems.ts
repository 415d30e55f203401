/** Everything that is wrong with a configuration at once, so that an operator mends it once. */
import { parseConnectorConfig } from '../core/config/connector-config.ts';
import { ConfigError, type ConfigIssue } from '../core/errors.ts';
import type { Registry } from './api/registry.ts';
import { configureConnector } from './configure.ts';

/** Of whoever has made more mistakes of the kind that hides others, some are named the next time. */
const TURNS_MAX = 16;

type Config = Readonly<Record<string, string>>;

/** What is wrong with the runtime's own keys hides what is wrong with those of plugins, so it is left out to look again. */
export async function configProblems(registry: Registry, config: Config): Promise<readonly ConfigIssue[]> {
  const problems: ConfigIssue[] = [];
  let rest = config;
  for (let turns = 0; turns < TURNS_MAX; turns += 1) {
    const found = await problemsOf(() => parseConnectorConfig(rest));
    problems.push(...found);
    if (found.length === 0)
      return [...problems, ...(await problemsOf(() => configureConnector(registry, parseConnectorConfig(rest))))];
    const left = found.reduce(withoutProblem, rest);
    if (left === rest) return problems;
    rest = left;
  }
  return problems;
}

async function problemsOf(act: () => unknown): Promise<readonly ConfigIssue[]> {
  try {
    await act();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

function withoutProblem(config: Config, { path }: ConfigIssue): Config {
  if (Object.hasOwn(config, path)) return Object.fromEntries(Object.entries(config).filter(([key]) => key !== path));
  const [, list = '', alias] = /^(transforms|predicates)\.(.+)\.type$/.exec(path) ?? [];
  const aliases = config[list]?.split(',') ?? [];
  // An alias without a plugin.
  const others = aliases.filter((item) => item.trim() !== alias);
  return others.length === aliases.length ? config : { ...config, [list]: others.join(',') };
}
