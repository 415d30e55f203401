/** What a connection makes of servers that are gone, silent, cut off, or say what it does not understand. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import { MysqlConnection } from '../../clients/mysql/mysql-connection.ts';
import { MysqlProtocolError, MysqlRefusal, MysqlUnreachable } from '../../clients/mysql/mysql-failure.ts';
import { END, MysqlServer, OK, refusal } from '../support/mysql-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const LONG_BYTES = 2 ** 24 + 5;

const QUERY = 3;

async function connect(port: number, password = 'secret'): Promise<MysqlConnection> {
  const connection = await MysqlConnection.open({
    host: '127.0.0.1',
    port,
    user: 'reader',
    password,
    program: 'test',
    clock: systemClock,
  });
  onTestFinished(() => connection.close());
  return connection;
}

/** Of one column. */
function rows(...cells: readonly (string | null)[]): readonly Buffer[] {
  const column = Buffer.from('\x03def\0\0\0\x01c\0\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0', 'latin1');
  return [Buffer.of(1), column, END, ...cells.map((cell) => (cell === null ? Buffer.of(0xfb) : packed(cell))), END];
}

function packed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(9);
  length.writeUInt8(0xfe);
  length.writeBigUInt64LE(BigInt(bytes.length), 1);
  return Buffer.concat([bytes.length < 0xfb ? Buffer.of(bytes.length) : length, bytes]);
}

describe('a login', () => {
  test('shows the password without saying it', async () => {
    const server = await MysqlServer.start();

    await connect(server.port);

    const [login = Buffer.alloc(0)] = server.received;
    expect(login.includes('reader\0')).toBe(true);
    expect(login.includes('secret')).toBe(false);
  });

  test('is refused by the word of the server', async () => {
    const server = await MysqlServer.start({ login: [refusal(1_045, 'Access denied')] });

    await expect(connect(server.port)).rejects.toMatchObject({ name: 'MysqlRefusal', errno: 1_045, message: 'Access denied' });
  });

  test('is refused before a word was said', async () => {
    const server = await MysqlServer.start({ greeting: [refusal(1_040, 'Too many connections')] });

    await expect(connect(server.port)).rejects.toMatchObject({ name: 'MysqlRefusal', errno: 1_040 });
  });

  test('goes on where the server wants another proof', async () => {
    const change = Buffer.from('\xfecaching_sha2_password\0abcdefghijklmnopqrst\0', 'latin1');
    const server = await MysqlServer.start({ login: [change], command: () => [Buffer.of(1, 3), OK] });

    await connect(server.port);

    expect(server.received[1]).toHaveLength(32);
  });

  test('says which proof it does not have', async () => {
    const change = Buffer.from('\xfeclient_ed25519\0abcdefghijklmnopqrstuvwxyz012345', 'latin1');
    const server = await MysqlServer.start({ login: [change] });

    await expect(connect(server.port)).rejects.toThrow('user reader is to log in by client_ed25519');
  });

  test('does not go on with a server of another protocol', async () => {
    const server = await MysqlServer.start({ greeting: [Buffer.from('\x09old\0', 'latin1')] });

    await expect(connect(server.port)).rejects.toBeInstanceOf(MysqlProtocolError);
  });

  test('ends where nobody listens, and where the connection ends', async () => {
    const server = await MysqlServer.start({ greeting: { cut: [Buffer.alloc(80)] } });

    await expect(connect(1)).rejects.toBeInstanceOf(MysqlUnreachable);
    await expect(connect(server.port)).rejects.toBeInstanceOf(MysqlUnreachable);
    expect(server.sockets.size).toBeLessThanOrEqual(1);
  });
});

describe('a query', () => {
  test('gives rows as text, however the network cuts them', async () => {
    const cells = ['a', null, '', 'ß🚀', 'x'.repeat(300)];
    const server = await MysqlServer.start({ command: (code) => (code === QUERY ? rows(...cells) : [OK]) });
    const proxy = await TcpProxy.start({
      target: `127.0.0.1:${server.port}`,
      pieceBytes: 1,
      bytesOf: () => Number.POSITIVE_INFINITY,
    });
    const connection = await connect(Number(proxy.address.split(':')[1]));

    expect(await connection.query('SELECT c FROM t')).toEqual(cells.map((cell) => [cell]));
    expect(server.received.at(-1)?.toString()).toBe('\x03SELECT c FROM t');
  });

  test('lets the server go on as soon as little is left of what came before', async () => {
    const packets = Array.from({ length: 300 }, () => Buffer.alloc(8_192, 1));
    const server = await MysqlServer.start({ command: () => packets });
    const connection = await connect(server.port);
    connection.command(Buffer.of(QUERY));
    await connection.arrival(10_000);

    let read = 0;
    const readAll = () => {
      while (connection.advance()) read += 1;
      return read;
    };

    // Nobody waits for an arrival any more.
    await expect.poll(readAll).toBe(packets.length);
  });

  test('gives cells that are longer than a packet', async () => {
    const cell = 'abc'.repeat(LONG_BYTES / 3);
    const server = await MysqlServer.start({ command: () => rows(cell, 'b') });
    const connection = await connect(server.port);

    const [first, second] = await connection.query('SELECT c FROM t');

    expect(first?.[0] === cell).toBe(true);
    expect(second).toEqual(['b']);
  });

  test('is refused in the middle of its rows', async () => {
    const server = await MysqlServer.start({ command: () => [...rows('a').slice(0, -1), refusal(1_317, 'interrupted')] });
    const connection = await connect(server.port);

    await expect(connection.query('SELECT c FROM t')).rejects.toBeInstanceOf(MysqlRefusal);
  });

  test('ends with its time, and the connection with it', async () => {
    const server = await MysqlServer.start({ command: () => 'silent' });
    const connection = await connect(server.port);

    await expect(connection.query('SELECT SLEEP(100)', 20)).rejects.toThrow('nothing came within 20 ms');
    await expect(connection.query('SELECT 1')).rejects.toBeInstanceOf(MysqlUnreachable);
  });

  test('ends where the connection is cut in the middle', async () => {
    const server = await MysqlServer.start({ command: () => ({ cut: rows('a', 'b') }) });
    const connection = await connect(server.port);

    await expect(connection.query('SELECT c FROM t')).rejects.toThrow('the server closed the connection');
  });
});
