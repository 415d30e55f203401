/** Certificates that an authority of one's own vouches for, made by `openssl`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why none can be made; `null` where they can. */
export function missingOpenssl(): string | null {
  if (spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0) return null;
  return 'openssl cannot be started, which makes the certificates (Debian: apt-get install openssl)';
}

/** Paths of PEM files. */
export interface ServerCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** For a server on 127.0.0.1, and the authority that vouches for it; good for a day. */
export function aServerCertificate(folder: string): ServerCertificate {
  const at = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  const [authority, certificate] = [at('authority.pem'), at('server.pem')];
  const [authorityKey, key, request, address] = [at('authority.key'), at('server.key'), at('server.csr'), at('address.cnf')];
  writeFileSync(address, 'subjectAltName=IP:127.0.0.1\n');
  openssl('req', '-x509', ...newKey, '-keyout', authorityKey, '-out', authority, '-days', '1', '-subj', '/CN=Test authority');
  openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', '/CN=127.0.0.1');
  const vouching = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-days', '1', '-extfile', address];
  openssl('x509', '-req', '-in', request, '-out', certificate, ...vouching);
  return { authority, certificate, key };
}

/** @throws {Error} with what it says, when it fails. */
function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
