/** How a password is shown to a server without saying it. */
import { constants, createHash, publicEncrypt } from 'node:crypto';

export const authPlugins = ['caching_sha2_password', 'mysql_native_password'] as const;

/** Nothing for no password. `undefined`: a method that this client does not have. */
export function firstProof(plugin: string, password: string, nonce: Buffer): Buffer | undefined {
  if (plugin !== 'caching_sha2_password' && plugin !== 'mysql_native_password') return undefined;
  if (password === '') return Buffer.alloc(0);
  return plugin === 'caching_sha2_password' ? sha2Proof(password, nonce) : nativeProof(password, nonce);
}

/** What a server that does not remember the password takes over a connection without TLS. */
export function encryptedPassword(password: string, nonce: Buffer, publicKey: string): Buffer {
  const masked = mix(Buffer.from(`${password}\0`), nonce);
  return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, masked);
}

function nativeProof(password: string, nonce: Buffer): Buffer {
  const once = hash('sha1', Buffer.from(password));
  return mix(once, hash('sha1', nonce, hash('sha1', once)));
}

function sha2Proof(password: string, nonce: Buffer): Buffer {
  const once = hash('sha256', Buffer.from(password));
  return mix(once, hash('sha256', hash('sha256', once), nonce));
}

function hash(name: string, ...pieces: readonly Buffer[]): Buffer {
  const made = createHash(name);
  for (const piece of pieces) made.update(piece);
  return made.digest();
}

function mix(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index % mask.length] ?? 0)));
}
