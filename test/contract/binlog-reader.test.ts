/** Logs as servers sent them, byte by byte, and what a reader makes of servers that break off. */
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { BinlogPlace } from '../../clients/binlog/binlog-events.ts';
import { BinlogReader } from '../../clients/binlog/binlog-reader.ts';
import { MysqlConnection } from '../../clients/mysql/mysql-connection.ts';
import { type ReadEvent, readBinlog } from '../support/binlogs.ts';
import { END, type MysqlAnswer, MysqlServer, OK, refusal } from '../support/mysql-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

interface Recording {
  readonly server: string;
  readonly from: BinlogPlace;
  readonly packets: readonly string[];
  readonly events: readonly unknown[];
}

const recordings = ['mysql-9.7', 'mariadb-10.11', 'mariadb-11.8'].map((name) => {
  const path = new URL(`../vectors/binlog-${name}.json`, import.meta.url);
  return [name, JSON.parse(readFileSync(path, 'utf8')) as Recording] as const;
});

const QUERY = 3;

async function aReader(
  { server: version, from }: Recording,
  log: MysqlAnswer,
  { follows = false, pieceBytes }: { readonly follows?: boolean; readonly pieceBytes?: number } = {},
): Promise<BinlogReader> {
  const server = await MysqlServer.start({ version, command: (code) => (code === QUERY ? [OK] : log) });
  const target = `127.0.0.1:${server.port}`;
  const bytesOf = (): number => Number.POSITIVE_INFINITY;
  const address = pieceBytes === undefined ? target : (await TcpProxy.start({ target, pieceBytes, bytesOf })).address;
  const connection = await MysqlConnection.open({
    host: '127.0.0.1',
    port: Number(address.split(':')[1]),
    user: 'reader',
    password: '',
    program: 'test',
    clock: systemClock,
  });
  const reader = await BinlogReader.start(connection, { serverId: 5, from, follows });
  onTestFinished(() => reader.close());
  return reader;
}

function packetsOf({ packets }: Recording): readonly Buffer[] {
  return packets.map((packet) => Buffer.from(packet, 'base64'));
}

/** As recordings write what JSON has no form for. */
function inJson(events: readonly ReadEvent[]): unknown {
  return JSON.parse(JSON.stringify(events, (_, value: unknown) => cellForm(value)));
}

function cellForm(value: unknown): unknown {
  if (typeof value === 'bigint') return { int64: String(value) };
  return value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value;
}

describe.each(recordings)('the log of %s', (_, recording) => {
  test('says what it said when it was recorded', async () => {
    const reader = await aReader(recording, [...packetsOf(recording), END]);

    expect(inJson(await readBinlog(reader))).toEqual(recording.events);
    expect(reader.isAtEnd).toBe(true);
  });

  test('says the same however the network cuts it', async () => {
    const reader = await aReader(recording, [...packetsOf(recording), END], { pieceBytes: 7 });

    expect(inJson(await readBinlog(reader))).toEqual(recording.events);
  });

  test('gives nothing behind an event that is damaged, wherever the damage is', async () => {
    const packets = packetsOf(recording);
    // Not of the first two, which say how the others are checked.
    for (let index = 2; index < packets.length; index += 1) {
      const damaged = packets.map((packet, at) => (at === index ? withOneBitTurned(packet) : packet));
      const reader = await aReader(recording, [...damaged, END]);
      const events: ReadEvent[] = [];

      const error = await readBinlog(reader, (given) => {
        events.splice(0, events.length, ...given);
        return false;
      }).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ name: 'UnreadableBinlog', message: 'an event whose checksum does not fit' });
      expect(recording.events.slice(0, events.length)).toEqual(inJson(events));
      expect(() => reader.next()).toThrow(error as Error);
    }
  });

  test('is not at its end where the connection is', async () => {
    const reader = await aReader(recording, { cut: packetsOf(recording).slice(0, 6) });

    await expect(readBinlog(reader)).rejects.toMatchObject({ name: 'MysqlUnreachable' });
    expect(reader.isAtEnd).toBe(false);
  });
});

describe('a server', () => {
  const [[, recording] = ['', { server: '', from: { file: '', position: 4 }, packets: [], events: [] }]] = recordings;

  test('that ends a log which is followed is not believed', async () => {
    const reader = await aReader(recording, [...packetsOf(recording), END], { follows: true });

    await expect(readBinlog(reader)).rejects.toMatchObject({ name: 'MysqlProtocolError' });
  });

  test('that breaks off says why', async () => {
    const reader = await aReader(recording, [...packetsOf(recording).slice(0, 5), refusal(1_236, 'log truncated')]);

    await expect(readBinlog(reader)).rejects.toMatchObject({ name: 'MysqlRefusal', message: 'log truncated' });
  });

  test('that is still and says nothing lets others wait, until their signal ends', async () => {
    const reader = await aReader(recording, packetsOf(recording), { follows: true });
    await readBinlog(reader, (events) => events.length === recording.events.length);
    const abort = new AbortController();

    const waiting = reader.arrival(3_600_000, abort.signal);
    abort.abort();
    await waiting;

    expect(reader.next()).toBeNull();
  });
});

/** In the middle of its body, so that the event is still the same one. */
function withOneBitTurned(packet: Buffer): Buffer {
  const damaged = Buffer.from(packet);
  const at = 20 + ((damaged.length - 20) >> 1);
  damaged[at] = (damaged[at] ?? 0) ^ 4;
  return damaged;
}
