/** Whether a server is set up so that all changes can be read: before anything is, and now and then. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { FatalTaskError } from '../../../core/errors.ts';

/** Something that is not as it must be, and the statement that mends it. */
interface Finding {
  readonly what: string;
  readonly next: string;
}

interface ServerSettings {
  readonly isMariadb: boolean;
  /** Global variables by their names; one that a server does not have is absent. */
  readonly variables: ReadonlyMap<string, string>;
  /** As the server lists them for this user. */
  readonly grants: readonly string[];
  /** `user@host`. */
  readonly user: string;
}

/** What a variable must be. */
const required = [
  { name: 'log_bin', value: 'ON', next: 'start the server with log_bin' },
  { name: 'binlog_format', value: 'ROW', next: 'SET GLOBAL binlog_format = ROW' },
  { name: 'binlog_row_image', value: 'FULL', next: 'SET GLOBAL binlog_row_image = FULL' },
  { name: 'binlog_row_metadata', value: 'FULL', next: 'SET GLOBAL binlog_row_metadata = FULL' },
  { name: 'binlog_row_value_options', value: '', next: "SET GLOBAL binlog_row_value_options = ''" },
] as const;

/** `readsRows`: of tables, beside their changes. @throws {FatalTaskError} with everything that was found. */
export async function demandReady(connection: MysqlConnection, { readsRows }: { readonly readsRows: boolean }): Promise<void> {
  const found = findings(await serverSettings(connection), readsRows);
  if (found.length === 0) return;
  const list = found.map(({ what, next }) => `${what}; next: ${next}`).join('\n');
  throw new FatalTaskError(`the server is not set up so that all changes can be read:\n${list}`, {
    code: 'source.misconfigured',
  });
}

function findings({ isMariadb, variables, grants, user }: ServerSettings, readsRows: boolean): readonly Finding[] {
  const wrong = required.flatMap(({ name, value, next }): Finding[] => {
    const is = variables.get(name);
    // Of a variable that it does not have (any more), a server has what is required.
    return is === undefined || is.toUpperCase() === value ? [] : [{ what: `${name} is ${is === '' ? "''" : is}`, next }];
  });
  const missing = missingGrants(grants, isMariadb);
  if (missing.length > 0) {
    const names = missing.join(', ');
    wrong.push({ what: `${user} lacks ${names}`, next: `GRANT ${names} ON *.* TO ${user}` });
  }
  if (readsRows && !maySelect(grants)) {
    // Tables that it may not read are none to whoever asks the server for its tables.
    wrong.push({ what: `${user} may read no table`, next: `GRANT SELECT ON *.* TO ${user}, or on the tables that are captured` });
  }
  return wrong;
}

function missingGrants(grants: readonly string[], isMariadb: boolean): readonly string[] {
  if (hasRoles(grants)) return [];
  const granted = grants.flatMap((grant) => {
    const [what = '', rest] = grant.replace(/^GRANT /, '').split(' ON *.*');
    return rest === undefined ? [] : what.split(/,\s*/);
  });
  if (granted.includes('ALL PRIVILEGES')) return [];
  const monitor = isMariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
  return ['REPLICATION SLAVE', monitor].filter((name) => !granted.includes(name));
}

function maySelect(grants: readonly string[]): boolean {
  return hasRoles(grants) || grants.some((grant) => /^GRANT (?:.*\bSELECT\b|ALL PRIVILEGES\b)/.test(grant));
}

/** What a role may do is not looked into: who lacks something is told so by the server. */
function hasRoles(grants: readonly string[]): boolean {
  return grants.some((grant) => !grant.includes(' ON '));
}

async function serverSettings(connection: MysqlConnection): Promise<ServerSettings> {
  const names = required.map(({ name }) => `'${name}'`).join(', ');
  const rows = await connection.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`);
  const grants = await connection.query('SHOW GRANTS');
  const [[user] = []] = await connection.query('SELECT CURRENT_USER()');
  return {
    isMariadb: connection.server.isMariadb,
    variables: new Map(rows.map(([name, value]) => [name ?? '', value ?? ''])),
    grants: grants.map(([grant]) => grant ?? ''),
    user: quotedUser(user ?? ''),
  };
}

/** As a `GRANT` takes it. */
function quotedUser(user: string): string {
  const at = user.lastIndexOf('@');
  return `'${user.slice(0, at)}'@'${user.slice(at + 1)}'`;
}
