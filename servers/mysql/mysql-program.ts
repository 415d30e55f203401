import { join } from 'node:path';
import type { DatabaseProgram } from '../database/database-server.ts';

/** Debian has MySQL in its unstable suite alone: 9.7 and what follows. */
export const mysqlProgram: DatabaseProgram = {
  name: 'mysql',
  suite: 'sid',
  package: 'mysql-server-core',
  megabytes: 58,
  binary: 'usr/sbin/mysqld',
  settings: (root) => ({
    basedir: join(root, 'usr'),
    lc_messages_dir: join(root, 'usr/share/mysql'),
    plugin_dir: join(root, 'usr/lib/mysql/plugin'),
    'server-id': '21',
    gtid_mode: 'ON',
    enforce_gtid_consistency: 'ON',
    mysqlx: 'OFF',
    performance_schema: 'OFF',
    innodb_redo_log_capacity: '32M',
    secure_file_priv: 'NULL',
  }),
  initialize: () => ({ args: ['--initialize-insecure'], input: '' }),
};
