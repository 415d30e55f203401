/** Logging in to real servers. */
import { describe, expect, test } from 'vitest';
import { withDatabases } from '../support/databases.ts';

/** Debian's certificates are made by the server itself. */
const TLS = { rejectUnauthorized: false };

withDatabases('connections', {}, ({ run, connect, isMariadb, server }) => {
  async function aUser(): Promise<{ readonly user: string; readonly password: string }> {
    const user = `u${performance.now().toFixed(3).replace('.', '')}`;
    await run(`CREATE USER ${user}@'%' IDENTIFIED BY 'it''s "secret" ß'`);
    return { user, password: 'it\'s "secret" ß' };
  }

  describe('a user with a password', () => {
    test('comes in, again and again', async () => {
      const login = await aUser();

      // A server of MySQL remembers a password that it was told once, and asks for less.
      for (let time = 0; time < 2; time += 1) {
        const connection = await connect(login);
        expect(await connection.query('SELECT CURRENT_USER()')).toEqual([[`${login.user}@%`]]);
      }
    });

    test('stays out with another one, and without', async () => {
      const login = await aUser();

      for (const password of ['wrong', '']) {
        await expect(connect({ ...login, password })).rejects.toMatchObject({ name: 'MysqlRefusal', errno: 1_045 });
      }
    });

    test.runIf(!isMariadb)('comes in over TLS', async () => {
      const login = await aUser();

      for (let time = 0; time < 2; time += 1) {
        const connection = await connect({ ...login, tls: TLS });
        const [[, cipher] = []] = await connection.query("SHOW STATUS LIKE 'Ssl_cipher'");
        expect(cipher).toMatch(/^TLS_/);
      }
    });

    test.runIf(!isMariadb)('does not trust a certificate that nobody signed', async () => {
      await expect(connect({ ...(await aUser()), tls: {} })).rejects.toMatchObject({ name: 'MysqlUnreachable' });
    });
  });

  test('the list of connections shows the program and its number', async () => {
    const connection = await connect();

    const numbers = (await run('SHOW PROCESSLIST')).map(([number]) => Number(number));

    expect(numbers).toContain(connection.server.connectionId);
    expect(connection.server.isMariadb).toBe(isMariadb);
  });

  test('refusals carry the number of the server, and the connection goes on', async () => {
    const connection = await connect();

    await expect(connection.query('SELEC')).rejects.toMatchObject({ name: 'MysqlRefusal', errno: 1_064, sqlState: '42000' });
    expect(await connection.query("SELECT 1, NULL, 'ß'")).toEqual([['1', null, 'ß']]);
  });

  test('a server that is killed ends what waits', async () => {
    const connection = await connect();
    const ending = connection.query('SELECT SLEEP(100)', 60_000).catch((thrown: unknown) => thrown);

    await server().kill();

    expect(await ending).toMatchObject({ name: 'MysqlUnreachable' });
    await server().restart();
  });
});
