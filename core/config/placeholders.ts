/**
 * `${env:NAME}`, `${file:/path/of.properties:key}`, `${dir:/path:file}`: what a configuration says instead of a secret. Kafka's syntax
 * and rules: a placeholder may stand inside a longer text; what it stands for is not looked at again; and a text that only looks
 * like one, because no provider has its name, stays as it is.
 */
import type { SecretReference } from '../ports.ts';

/** Those of Kafka's `EnvVarConfigProvider`, `FileConfigProvider` and `DirectoryConfigProvider`. */
export const SECRET_PROVIDERS = ['env', 'file', 'dir'] as const;

interface Placeholder extends SecretReference {
  readonly start: number;
  readonly end: number;
}

export function hasPlaceholder(text: string): boolean {
  return placeholdersIn(text).length > 0;
}

/** In the order they stand there. */
export function referencesIn(text: string): readonly SecretReference[] {
  return placeholdersIn(text).map(({ provider, path, key }) => ({ provider, path, key }));
}

/** As it was written. */
export function placeholderOf({ provider, path, key }: SecretReference): string {
  return `\${${provider}:${path === '' ? '' : `${path}:`}${key}}`;
}

export function withValues(text: string, resolve: (reference: SecretReference) => string): string {
  let filled = '';
  let at = 0;
  for (const { start, end, ...reference } of placeholdersIn(text)) {
    filled += text.slice(at, start) + resolve(reference);
    at = end;
  }
  return filled + text.slice(at);
}

/** Kafka's `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`, without its way of looking at a text again and again. */
function placeholdersIn(text: string): readonly Placeholder[] {
  const placeholders: Placeholder[] = [];
  for (let start = text.indexOf('${'); start !== -1; ) {
    const end = text.indexOf('}', start);
    if (end === -1) break;
    const reference = referenceOf(text.slice(start + 2, end));
    if (reference !== null) placeholders.push({ ...reference, start, end: end + 1 });
    start = text.indexOf('${', end);
  }
  return placeholders;
}

function referenceOf(inside: string): SecretReference | null {
  const [provider, ...rest] = inside.split(':');
  if (rest.length === 0 || !SECRET_PROVIDERS.some((name) => name === provider)) return null;
  const [path, ...key] = rest.length === 1 ? ['', ...rest] : rest;
  return { provider: provider as string, path: path as string, key: key.join(':') };
}
