/** How the server of a configuration is reached. */
import { readFileSync } from 'node:fs';
import { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { TlsOptions } from '../../../clients/mysql/mysql-socket.ts';
import { ConfigError, messageOf } from '../../../core/errors.ts';
import type { PluginContext } from '../../api/context.ts';
import type { CdcSettings } from './cdc-config.ts';

export function connect(config: CdcSettings, { clock, connector }: PluginContext): Promise<MysqlConnection> {
  return MysqlConnection.open({
    host: config['database.hostname'],
    port: config['database.port'],
    user: config['database.user'],
    password: config['database.password'],
    tls: tlsOf(config),
    program: connector,
    clock,
  });
}

function tlsOf(config: CdcSettings): TlsOptions | undefined {
  const mode = config['database.ssl.mode'];
  if (mode === 'disabled') return undefined;
  if (mode === 'required') return { rejectUnauthorized: false };
  const file = config['database.ssl.ca.file'];
  const authorities = file === '' ? {} : { ca: authoritiesIn(file) };
  return mode === 'verify_identity' ? authorities : { ...authorities, checkServerIdentity: () => undefined };
}

function authoritiesIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([{ path: 'database.ssl.ca.file', message: `${file} cannot be read: ${messageOf(error)}` }]);
  }
}
