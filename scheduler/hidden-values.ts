/**
 * What nobody may see of a configuration is shown as `[hidden]`, everywhere but in the configuration itself when somebody asks for it
 * who may set it. What was shown in that way and is sent back stands for what is stored, so that a form can be filled in and sent.
 */
import { HIDDEN } from '../core/config/hidden.ts';
import type { Connector } from '../core/connector.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { secretKeysOf } from '../plugins/secret-keys.ts';
import type { SentConfig } from './config-check.ts';

type Config = Connector['config'];

export async function withHidden(registry: Registry, config: Config): Promise<Config> {
  const secret = await secretKeysOf(registry, config);
  return secret.size === 0 ? config : mapValues(config, (key, value) => (secret.has(key) ? HIDDEN : value));
}

interface Kept {
  readonly config: SentConfig;
  /** It is right only as long as what is stored stays the same. */
  readonly isKept: boolean;
}

export async function withKept(registry: Registry, sent: SentConfig, stored: Config): Promise<Kept> {
  const hidden = new Set(await hiddenKeysOf(registry, sent));
  const isKept = (key: string) => hidden.has(key) && Object.hasOwn(stored, key);
  const config = mapValues(sent, (key, value) => (isKept(key) ? (stored[key] ?? value) : value));
  return { config, isKept: Object.keys(sent).some(isKept) };
}

/** Secrets of which it says no more than what they are shown as. */
export async function hiddenKeysOf(registry: Registry, sent: SentConfig): Promise<readonly string[]> {
  // Few configurations hold it, and then nobody needs to know which keys are secret.
  if (!Object.values(sent).includes(HIDDEN)) return [];
  return [...(await secretKeysOf(registry, sent))].filter((key) => sent[key] === HIDDEN);
}

function mapValues<Value>(
  config: Readonly<Record<string, Value>>,
  change: (key: string, value: Value) => Value,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, change(key, value)]));
}
