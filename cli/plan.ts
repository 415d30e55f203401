/** What applying files would do: each connector of them beside that of the server, and what the server says against it. */

import { createHash } from 'node:crypto';
import { HIDDEN } from '../core/config/hidden.ts';
import type { Entity } from '../scheduler/app.ts';
import type { ApiClient, Config } from './api-client.ts';
import { CliError } from './cli-error.ts';
import type { ConnectorFile } from './connector-files.ts';

export interface KeyChange {
  readonly key: string;
  /** `null`: it is not there. `[hidden]` unless the server knows the key, and as none that is secret. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface PlannedConnector {
  readonly name: string;
  readonly file: string;
  readonly change: 'create' | 'change' | 'unchanged';
  readonly keys: readonly KeyChange[];
}

export interface Violation {
  readonly file: string;
  readonly line: number | null;
  readonly name: string;
  readonly key: string;
  readonly message: string;
}

export interface Plan {
  /** Of these files on these connectors as they are: when one of them is another, so is this. */
  readonly id: string;
  readonly connectors: readonly PlannedConnector[];
  readonly violations: readonly Violation[];
}

/** Enough that no two plans of a day are alike, and short enough to be typed. */
const ID_CHARACTERS = 12;

export async function planOf(api: ApiClient, files: readonly ConnectorFile[]): Promise<Plan> {
  const there = await api.details();
  const connectors: PlannedConnector[] = [];
  const violations: Violation[] = [];
  const pairs: unknown[] = [];
  // One by one: a plan is nothing that somebody waits for with a stop-watch, and a server has other things to do.
  for (const file of files) {
    const { name, file: path } = file;
    const current = await currentOf(api, name, there[name]);
    const wanted = withKept(nameless(file.config), current);
    pairs.push([name, sorted(wanted), current === null ? null : sorted(current)]);
    const changes = current === null ? [] : changesOf(current, wanted);
    const change = current === null ? 'create' : changes.length === 0 ? 'unchanged' : 'change';
    if (change === 'unchanged') {
      connectors.push({ name, file: path, change, keys: [] });
      continue;
    }
    const { found, shown } = await check(api, file);
    violations.push(...found);
    connectors.push({ name, file: path, change, keys: changes.map((each) => (shown.has(each.key) ? each : hidden(each))) });
  }
  return { id: digest(pairs), connectors, violations };
}

/** Everything that the server has against a connector of a file. */
export async function violationsOf(api: ApiClient, file: ConnectorFile): Promise<readonly Violation[]> {
  return (await check(api, file)).found;
}

export function violationText({ file, line, name, key, message }: Violation): string {
  return `${file}${line === null ? '' : `:${line}`}: ${name}: ${key}: ${message}`;
}

// ---------------------------------------------------------------------------------------------------------------------

const CLASS = 'connector.class';

async function check(
  api: ApiClient,
  { file, name, config, lineOf }: ConnectorFile,
): Promise<{ readonly found: readonly Violation[]; readonly shown: ReadonlySet<string> }> {
  const violation = (key: string, message: string): Violation => ({ file, line: lineOf(key), name, key, message });
  let checked: Entity<'ConfigInfos'>;
  try {
    // Without a class there is nothing to ask by; the server says so of whatever it is asked.
    checked = await api.validate(config[CLASS]?.trim() || CLASS, config);
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== 2) throw error;
    return { found: [violation(CLASS, error.message)], shown: new Set() };
  }
  return {
    found: checked.configs.flatMap(({ value }) => value.errors.map((message) => violation(value.name, message))),
    shown: new Set(checked.configs.flatMap(({ definition }) => (mayBeShown(definition) ? definition.name : []))),
  };
}

function mayBeShown<Key extends { readonly type: string }>(definition: Key | null): definition is Key {
  return definition !== null && definition.type !== 'PASSWORD';
}

/** Of one whose document cannot be read nothing is known but that it is there. */
async function currentOf(
  api: ApiClient,
  name: string,
  details: Awaited<ReturnType<ApiClient['details']>>[string] | undefined,
): Promise<Config | null> {
  if (details === undefined) return null;
  const shown = details.info?.config ?? {};
  // Whoever may not see them either takes each of them for a change.
  return nameless(Object.values(shown).includes(HIDDEN) ? await api.config(name) : shown);
}

/** A file may have been made of what was shown. */
function withKept(wanted: Config, current: Config | null): Config {
  if (current === null) return wanted;
  return Object.fromEntries(
    Object.entries(wanted).map(([key, value]) => [key, value === HIDDEN ? (current[key] ?? value) : value]),
  );
}

/** Some have their name among their keys, and the server answers it so. */
function nameless({ name: _, ...config }: Config): Config {
  return config;
}

function changesOf(current: Config, wanted: Config): readonly KeyChange[] {
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(current)])].sort();
  return keys.map((key) => ({ key, from: current[key] ?? null, to: wanted[key] ?? null })).filter(({ from, to }) => from !== to);
}

function hidden({ key, from, to }: KeyChange): KeyChange {
  return { key, from: from === null ? null : HIDDEN, to: to === null ? null : HIDDEN };
}

function sorted(config: Config): readonly (readonly [string, string])[] {
  return Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, ID_CHARACTERS);
}
