/** What a client is opened with, of what an operator wrote. JSON, so that it can be handed to threads and processes. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { RocketmqValues } from '../../core/config/rocketmq-keys.ts';
import { ConfigError, type ConfigIssue, messageOf } from '../../core/errors.ts';
import type { TlsOptions } from './connection.ts';
import type { RocketmqSettings } from './rocketmq-client.ts';

/** @throws {ConfigError} whose paths are keys without the prefix behind which they were read. */
export function rocketmqSettingsOf(values: RocketmqValues): RocketmqSettings {
  const issues = rocketmqProblems(values);
  if (issues.length > 0) throw new ConfigError(issues);
  const { namespace, 'proxy.addr': proxies, 'access.key': accessKey, 'secret.key': secretKey } = values;
  return {
    nameServers: values['namesrv.addr'],
    group: values['group.id'],
    ...(proxies.length === 0 ? {} : { proxies }),
    ...(namespace === '' ? {} : { namespace }),
    ...(accessKey === '' ? {} : { keys: { accessKey, secretKey } }),
    ...(values['tls.enabled'] ? { tls: tlsOf(values) } : {}),
  };
}

/** What is wrong with them together, without a look at any file. */
export function rocketmqProblems(values: RocketmqValues): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (values['namesrv.addr'].length === 0) {
    issues.push({ path: 'namesrv.addr', message: 'is required: the name servers of the RocketMQ cluster, or its proxies' });
  }
  if ((values['access.key'] === '') !== (values['secret.key'] === '')) {
    const path = values['access.key'] === '' ? 'access.key' : 'secret.key';
    issues.push({ path, message: 'is required: an access key and its secret key go together' });
  }
  for (const path of ['tls.ca.file', 'tls.insecure'] as const) {
    if (values[path] && !values['tls.enabled']) issues.push({ path, message: 'means nothing without tls.enabled=true' });
  }
  return issues;
}

function tlsOf({ 'tls.ca.file': file, 'tls.insecure': isInsecure }: RocketmqValues): TlsOptions {
  return { ...(file === '' ? {} : { ca: authoritiesIn(file) }), ...(isInsecure ? { rejectUnauthorized: false } : {}) };
}

function authoritiesIn(file: string): string {
  try {
    const ca = readFileSync(file, 'utf8');
    createSecureContext({ ca });
    if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate');
    return ca;
  } catch (error) {
    throw new ConfigError([{ path: 'tls.ca.file', message: `${file} cannot be used: ${messageOf(error)}` }]);
  }
}
