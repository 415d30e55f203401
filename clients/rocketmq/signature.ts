/** The signature of ACL 1.0 and of ACL 2.0, which are the same: of the fields' values in the order of their names, then the body. */
import { createHmac } from 'node:crypto';
import type { Fields } from './command.ts';

export interface AccessKeys {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of keys that were lent for a while. */
  readonly securityToken?: string;
}

/** The fields with those that prove who sends them. Neither time nor the request's number is in it: only TLS keeps others from repeating it. */
export function signed(fields: Fields, body: Uint8Array | undefined, keys: AccessKeys): Fields {
  const all: Record<string, string> = { ...fields, AccessKey: keys.accessKey };
  if (keys.securityToken !== undefined) all['SecurityToken'] = keys.securityToken;
  const hmac = createHmac('sha1', keys.secretKey);
  for (const name of Object.keys(all).sort()) hmac.update(all[name] ?? '');
  if (body !== undefined) hmac.update(body);
  return { ...all, Signature: hmac.digest('base64') };
}
