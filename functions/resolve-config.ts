/** Puts secrets into a connector's configuration. */

import { assert } from '../core/assert.ts';
import { HIDDEN } from '../core/config/hidden.ts';
import { placeholderOf, referencesIn, withValues } from '../core/config/placeholders.ts';
import type { Connector } from '../core/connector.ts';
import { ConfigError, FatalTaskError, RetryableError } from '../core/errors.ts';
import type { SecretAnswer, SecretReference } from '../core/ports.ts';
import { secretKeysOf } from '../plugins/secret-keys.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Host } from './host.ts';
import type { ResolvedConfig } from './opened-connector.ts';

/** For a folder that some network lends and does not answer for: the claim is not made yet, so nobody waits for this. */
const RESOLVE_MAX_MS = 5_000;

/**
 * @throws {FatalTaskError} `secret.refused` or `secret.missing`, naming each key and its placeholder.
 * @throws {RetryableError} `secret.unavailable`: no answer came in time, so nothing is known of any of them.
 */
export async function resolveConfig(host: Host, { config }: Connector): Promise<ResolvedConfig> {
  const askedAtMs = host.clock.nowMs();
  const named = Object.entries(config).flatMap(([key, text]) => referencesIn(text).map((reference) => ({ key, reference })));
  const answers = named.length === 0 ? [] : await answersOf(host, named);
  const values = valuesOf(named, answers);
  const inOrder = values.values();
  const next = (): string => inOrder.next().value ?? '';
  const resolved = Object.fromEntries(Object.entries(config).map(([key, text]) => [key, withValues(text, next)]));
  // Also what is secret and stands in the configuration itself.
  const secret = await secretKeysOf(host.registry, config);
  host.sandbox.redaction.hide([...values, ...[...secret].map((key) => resolved[key] ?? '')]);
  return { config: resolved, values, askedAtMs };
}

interface Named {
  readonly key: string;
  readonly reference: SecretReference;
}

async function answersOf({ clock, secrets }: Host, named: readonly Named[]): Promise<readonly SecretAnswer[]> {
  const answers = await within(clock, RESOLVE_MAX_MS, () => secrets.resolve(named.map(({ reference }) => reference)));
  if (answers !== TIMED_OUT) return answers;
  const asked = named.map(({ key, reference }) => `${key}: ${placeholderOf(reference)}`).join('; ');
  throw new RetryableError(`no answer within ${RESOLVE_MAX_MS} ms for ${asked}`, { code: 'secret.unavailable' });
}

function valuesOf(named: readonly Named[], answers: readonly SecretAnswer[]): readonly string[] {
  const values: string[] = [];
  const problems: string[] = [];
  let isRefused = false;
  for (const [index, { key, reference }] of named.entries()) {
    const answer = answers[index];
    assert(answer !== undefined, 'secrets answer for each reference that is asked for');
    if ('value' in answer) {
      values.push(answer.value);
      continue;
    }
    isRefused ||= 'refused' in answer;
    problems.push(`${key}: ${placeholderOf(reference)}: ${'refused' in answer ? answer.refused : answer.missing}`);
  }
  if (problems.length === 0) return values;
  throw new FatalTaskError(problems.join('; '), { code: isRefused ? 'secret.refused' : 'secret.missing' });
}

/** A message about a key repeats its value, which may be too short for `Redaction`. */
export function withoutValues(error: ConfigError, asStored: Connector['config'], resolved: Connector['config']): ConfigError {
  const issues = error.issues.map(({ path, message }) => {
    const value = resolved[path];
    if (value === undefined || value === asStored[path]) return { path, message };
    return { path, message: `${message.replaceAll(JSON.stringify(value.trim()), HIDDEN)} (${asStored[path]})` };
  });
  return new ConfigError(issues);
}
