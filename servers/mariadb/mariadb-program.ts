import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseProgram } from '../database/database-server.ts';

/** The releases of MariaDB that Debian's suites have. */
const suites = { '10.11': 'bookworm', '11.8': 'trixie' } as const;

export type MariadbRelease = keyof typeof suites;

export const mariadbReleases = Object.keys(suites) as readonly MariadbRelease[];

/** Scripts that make the system's tables, in this order. */
const SCRIPTS = ['system_tables', 'performance_tables', 'system_tables_data', 'sys_schema'];

export function mariadbProgram(release: MariadbRelease): DatabaseProgram {
  return {
    name: 'mariadb',
    suite: suites[release],
    package: 'mariadb-server-core',
    megabytes: 16,
    binary: 'usr/sbin/mariadbd',
    settings: (root) => ({
      basedir: join(root, 'usr'),
      lc_messages_dir: shareFolder(root),
      plugin_dir: join(root, 'usr/lib/mysql/plugin'),
      'server-id': '11',
      binlog_format: 'ROW',
      binlog_row_image: 'FULL',
      gtid_strict_mode: 'ON',
      'character-set-server': 'utf8mb4',
      innodb_log_file_size: '32M',
    }),
    initialize: (root) => ({ args: ['--bootstrap'], input: systemTables(root) }),
  };
}

/** What `mariadb-install-db` does: one statement on each line, and root comes in without a password. */
function systemTables(root: string): string {
  const folder = shareFolder(root);
  const files = readdirSync(folder);
  const scripts = SCRIPTS.map((script) => files.find((file) => file.endsWith(`_${script}.sql`)) ?? script);
  return [
    'create database if not exists mysql;',
    'use mysql;',
    'set @auth_root_socket=null;',
    'set @skip_auth_anonymous=1;',
    ...scripts.map((file) => readFileSync(join(folder, file), 'utf8')),
  ].join('\n');
}

function shareFolder(root: string): string {
  const folder = join(root, 'usr/share/mariadb');
  return existsSync(join(folder, 'english')) || !existsSync(join(root, 'usr/share/mysql'))
    ? folder
    : join(root, 'usr/share/mysql');
}
