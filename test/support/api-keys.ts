/** API keys for tests, each named as its role. */
import { createHash } from 'node:crypto';
import type { ApiKey, Role } from '../../scheduler/app.ts';

export const ROLES = ['read', 'operate', 'configure'] as const satisfies readonly Role[];

export const API_KEYS: readonly ApiKey[] = ROLES.map((role) => ({
  name: role,
  role,
  hash: new Uint8Array(createHash('sha256').update(keyOf(role)).digest()),
}));

export function keyOf(role: Role): string {
  return `sortie_${role}_key`;
}

export function bearer(key: string): { readonly authorization: string } {
  return { authorization: `Bearer ${key}` };
}

export function basic(name: string, password: string): { readonly authorization: string } {
  return { authorization: `Basic ${btoa(`${name}:${password}`)}` };
}
