/** Every character of every character set, read from the logs of real servers: as the server itself converts it. */
import { beforeAll, expect, test } from 'vitest';
import { charsetOf } from '../../clients/mysql/collations.ts';
import { upperHalves } from '../../clients/mysql/upper-halves.ts';
import { aBinlogReader, binlogEnd, readBinlog, rowsAfter } from '../support/binlogs.ts';
import { withDatabases } from '../support/databases.ts';

const TIMEOUT_MS = 60_000;

/** In one statement. */
const CODES = 4_000;

const DOUBLE_BYTE = ['gbk', 'gb2312', 'gb18030', 'sjis', 'cp932'];

/** All codes of one byte, and all of two that begin with one above ASCII. */
const codes = Array.from({ length: 256 }, (_, first) => {
  const lead = first.toString(16).padStart(2, '0');
  if (first < 0x80) return [lead];
  return [lead, ...Array.from({ length: 208 }, (__, second) => lead + (second + 48).toString(16))];
}).flat();

withDatabases('character sets', {}, (database) => {
  beforeAll(async () => {
    const inserts: string[] = [];
    for (let index = 0; index < codes.length; index += CODES) {
      const values = codes.slice(index, index + CODES).map((code) => `(x'${code}')`);
      inserts.push(`INSERT IGNORE INTO charsets.codes VALUES ${values.join(',')}`);
    }
    await database.run('CREATE DATABASE charsets', 'CREATE TABLE charsets.codes (b VARBINARY(2) PRIMARY KEY)', ...inserts);
  });

  test('every collation is of the set that the server says', async () => {
    const table = database.isMariadb ? 'COLLATION_CHARACTER_SET_APPLICABILITY' : 'COLLATIONS';

    const collations = await database.run(`SELECT ID, CHARACTER_SET_NAME FROM information_schema.${table} WHERE ID IS NOT NULL`);

    expect(collations.length).toBeGreaterThan(200);
    expect(collations.map(([id]) => [id, charsetOf(Number(id))])).toEqual(collations);
  });

  for (const charset of [...Object.keys(upperHalves), ...DOUBLE_BYTE]) {
    test.runIf(charset !== 'gb18030' || !database.isMariadb)(charset, { timeout: TIMEOUT_MS }, async () => {
      const connection = await database.connect();
      await connection.query("SET sql_mode = ''");
      await connection.query('DROP TABLE IF EXISTS charsets.t');
      await connection.query(`CREATE TABLE charsets.t (b VARBINARY(2) PRIMARY KEY, c VARCHAR(10) CHARACTER SET ${charset})`);
      const bytes = DOUBLE_BYTE.includes(charset) ? 2 : 1;
      const from = await binlogEnd(database);
      // Codes that are none, or of no character, become something else, or question marks.
      const converted = `CONVERT(b USING ${charset})`;
      const isCharacter = `HEX(${converted}) = HEX(b) AND (b = '?' OR CONVERT(${converted} USING utf8mb4) NOT LIKE '%?%')`;
      await connection.query(
        `INSERT INTO charsets.t SELECT b, ${converted} FROM charsets.codes WHERE LENGTH(b) <= ${bytes} AND ${isCharacter}`,
      );
      const selected = await connection.query('SELECT HEX(b), CONVERT(c USING utf8mb4) FROM charsets.t ORDER BY b');

      const rows = rowsAfter(await readBinlog(await aBinlogReader(database, from)));

      const read = rows.map(([b, c]) => [
        Buffer.from(b as Uint8Array)
          .toString('hex')
          .toUpperCase(),
        c,
      ]);
      expect(read.length).toBeGreaterThan(100);
      expect(read.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))).toEqual(selected);
    });
  }
});
