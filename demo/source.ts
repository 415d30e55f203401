/** Where the shop of a run is: in a file of SQLite, or in a real server that is started for it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatabaseProgram } from '../servers/database/database-server.ts';
import { missingDebianTools } from '../servers/debian/debian-root.ts';
import { mariadbProgram } from '../servers/mariadb/mariadb-program.ts';
import { mysqlProgram } from '../servers/mysql/mysql-program.ts';
import { ServerShop } from './databases/server-shop.ts';
import type { ShopDatabase } from './databases/shop-database.ts';
import { SqliteShop } from './databases/sqlite-shop.ts';

export const SOURCES = ['sqlite', 'mysql', 'mariadb'] as const;

export type SourceName = (typeof SOURCES)[number];

export interface OpenedSource {
  readonly database: ShopDatabase;
  /** Below `examples/`. */
  readonly connectors: string;
  /** What `sortie start` is told, and finds in its environment. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const programs: Readonly<Record<Exclude<SourceName, 'sqlite'>, DatabaseProgram>> = {
  mysql: mysqlProgram,
  mariadb: mariadbProgram('11.8'),
};

/** What this machine lacks for it, and how that is had; `null` where nothing is missing. */
export function missingForSource(name: SourceName): string | null {
  return name === 'sqlite' ? null : missingDebianTools();
}

export async function openSource(
  name: SourceName,
  { folder, say }: { readonly folder: string; readonly say: (text: string) => void },
): Promise<OpenedSource> {
  if (name === 'sqlite') {
    return { database: new SqliteShop(join(folder, 'shop.db')), connectors: 'shop', flags: [], env: {} };
  }
  const database = await ServerShop.start(programs[name], { folder, say });
  return {
    database,
    connectors: 'shop-mysql',
    flags: ['--secrets-env', 'SHOP_DB_PORT'],
    env: { SHOP_DB_PORT: String(database.port) },
  };
}

export function connectorsFolder(name: string): string {
  return fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
}
