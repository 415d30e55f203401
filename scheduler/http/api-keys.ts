/**
 * Who asks, and what they may do. An API key comes as `Authorization: Bearer KEY`, or as the password of Basic with the key's name as its
 * user, for clients that know nothing else. Keys are random and long, so that their plain hash gives nothing away, and nobody guesses
 * one in whatever time an answer takes.
 */
import { ApiError } from '../routes/api-error.ts';

/** Each may do what those before it may. */
const ROLES = ['read', 'operate', 'configure'] as const;

export type Role = (typeof ROLES)[number];

export interface ApiKey {
  readonly name: string;
  readonly role: Role;
  /** SHA-256. */
  readonly hash: Uint8Array;
}

export interface Access {
  /** Without any, whoever reaches this server may do everything. */
  readonly keys: readonly ApiKey[];
  /** Whether a password may come this way: nobody between can read it. */
  readonly takesBasic: boolean;
}

/** @throws {ApiError} 401 where nobody says who he is; 403 where that one may not. */
export async function demandRole(access: Access, authorization: string | undefined, role: Role): Promise<Role> {
  if (access.keys.length === 0) return 'configure';
  const key = await keyOf(access, authorization ?? '');
  if (key === undefined) throw unauthorized(access, 'This needs an API key that is known here');
  if (ROLES.indexOf(key.role) >= ROLES.indexOf(role)) return key.role;
  throw new ApiError(403, `This needs a key that may ${role}; ${key.name} may ${key.role}`);
}

async function keyOf(access: Access, authorization: string): Promise<ApiKey | undefined> {
  const [, scheme = '', credentials = ''] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return matching(access.keys, await hashOf(credentials));
    case 'basic': {
      if (!access.takesBasic) throw unauthorized(access, 'Basic is taken over TLS only; send the key as a bearer token');
      const [name, password] = userIn(credentials);
      return matching(
        access.keys.filter((key) => key.name === name),
        await hashOf(password),
      );
    }
    default:
      return undefined;
  }
}

/** All are looked at, and all of their bytes. */
function matching(keys: readonly ApiKey[], hash: Uint8Array): ApiKey | undefined {
  return keys.filter((key) => isSame(key.hash, hash))[0];
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.reduce((difference, byte, index) => difference | (byte ^ (b[index] ?? 0)), 0) === 0;
}

async function hashOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function userIn(credentials: string): readonly [name: string, password: string] {
  const text = textOf(credentials);
  const colon = text.indexOf(':');
  return colon === -1 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function textOf(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return '';
  }
}

function unauthorized({ takesBasic }: Access, message: string): ApiError {
  const bearer = 'Bearer realm="sortie"';
  return new ApiError(401, message, { 'www-authenticate': takesBasic ? `${bearer}, Basic realm="sortie"` : bearer });
}
