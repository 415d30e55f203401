import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FatalTaskError } from '../../../../core/errors.ts';
import { NULL_DATUM } from '../../../../core/record/connect-record.ts';
import { shardId } from '../../../../core/shard-id.ts';
import type { SinkWriter } from '../../../../plugins/api/sink.ts';
import { fileStreamSink } from '../../../../plugins/sinks/file-stream-sink.ts';
import { aSinkRecord, textDatum } from '../../../support/connect-records.ts';
import { aPluginContext } from '../../../support/plugin-context.ts';
import { aTemporaryFolder } from '../../../support/temporary-folder.ts';

const NEVER = new AbortController().signal;

describe('fileStreamSink', () => {
  test('shows lines as soon as they are put, behind what the file holds already', async () => {
    const file = aFile();
    appendFileSync(file, 'before\n');
    const writer = await open({ file, format: 'raw' });

    await put(writer, 'a', 'b');

    expect(readFileSync(file, 'utf8')).toBe('before\na\nb\n');
  });

  test('ends a torn line before it goes on', async () => {
    const file = aFile();
    appendFileSync(file, 'whole\nto');
    const writer = await open({ file, format: 'raw' });

    await put(writer, 'a');

    expect(readFileSync(file, 'utf8')).toBe('whole\nto\na\n');
  });

  test('goes on in a new file when the old one is moved away', async () => {
    const file = aFile();
    const writer = await open({ file, format: 'raw' });
    await put(writer, 'a');
    renameSync(file, `${file}.1`);

    await put(writer, 'b');
    await writer.flush(NEVER);

    expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['a\n', 'b\n']);
  });

  test('keeps the lines of several writers apart', async () => {
    const file = aFile();
    const writers = await Promise.all(['a', 'b', 'c'].map(() => open({ file, format: 'raw' })));

    await Promise.all(
      writers.map((writer, index) => put(writer, ...Array.from({ length: 500 }, () => 'abc'.charAt(index).repeat(200)))),
    );

    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    expect(lines.filter((line) => /^(a{200}|b{200}|c{200})$/.test(line))).toHaveLength(1_500);
  });

  test('writes JSON in one line, its line breaks as blanks, and null for a record without a value', async () => {
    const file = aFile();
    const writer = await open({ file });

    await put(writer, '{\n  "a": "x\\n"\n}', null);

    expect(readFileSync(file, 'utf8')).toBe('{   "a": "x\\n" }\nnull\n');
  });

  test('passes bytes through that are no text', async () => {
    const file = aFile();
    const writer = await open({ file, format: 'raw' });
    const bytes = Uint8Array.of(0xff, 0x00, 0xc3, 0x0d);

    await writer.put({ ...SLICE, records: [aSinkRecord({ value: { schema: null, value: null, bytes } })] }, NEVER);

    expect([...readFileSync(file)]).toEqual([...bytes, 0x0a]);
  });

  test('fails its shard where the file is a folder, and says which', async () => {
    const file = aTemporaryFolder();
    const writer = await open({ file });

    const error: unknown = await put(writer, 'a').catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(FatalTaskError);
    expect(String(error)).toContain(`cannot append to ${file}`);
  });
});

const SLICE = {
  shard: shardId('uid', ['queue', 'orders', 'broker-a', '0']),
  generation: 1,
  epoch: 1,
  position: null,
  forMs: 5_000,
};

function aFile(): string {
  return join(aTemporaryFolder(), 'all.txt');
}

async function open(keys: Readonly<Record<string, string>>): Promise<SinkWriter> {
  const writer = await fileStreamSink.open(fileStreamSink.config.parse(keys), aPluginContext());
  onTestFinished(() => writer.close());
  return writer;
}

async function put(writer: SinkWriter, ...texts: readonly (string | null)[]): Promise<void> {
  const records = texts.map((text) => aSinkRecord({ value: text === null ? { ...NULL_DATUM, bytes: null } : textDatum(text) }));
  await writer.put({ ...SLICE, records }, NEVER);
}
