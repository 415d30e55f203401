/** Files as targets of sinks and systems of sources, and what they hold. Lines of raw files: `key text`, so that both can be read back. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HeldText, RecordText, SinkTarget } from '../contract/sink/sink-under-test.ts';
import type { SourceSystem } from '../contract/source/source-under-test.ts';
import { aSinkRecord, textDatum } from './connect-records.ts';

/** Paths of all published parts, those of one shard in the order of their offsets. */
export function partsIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .flatMap((shard) =>
      readdirSync(join(directory, shard))
        .filter((name) => name !== '.state')
        .sort()
        .map((name) => join(directory, shard, name)),
    );
}

export function linesIn(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1));
}

export async function aPartTarget(keys: Readonly<Record<string, string>>): Promise<SinkTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  const directory = join(folder, 'parts');
  return {
    ...keyedLines,
    config: { directory, format: 'raw', ...keys },
    held: async () => linesIn(partsIn(directory)).map(heldText),
    breakDown: async () => rmSync(directory, { recursive: true }),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function aStreamTarget(): Promise<SinkTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  const file = join(folder, 'all.txt');
  return {
    ...keyedLines,
    config: { file, format: 'raw' },
    held: async () => linesIn([file]).map(heldText),
    breakDown: async () => rmSync(folder, { recursive: true }),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Two files of lines; the last one of each has no end yet. */
export async function aFileSystem(): Promise<SourceSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  for (const name of ['a.log', 'b.log']) {
    const lines = Array.from({ length: 30 }, (_, index) => `${name} größe 漢字 🚀 ${'x'.repeat(index)}`);
    writeFileSync(join(folder, name), `${lines.join('\n')}\n\nlast`);
  }
  return {
    config: { topic: 'lines', files: join(folder, '*.log') },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

const keyedLines = {
  makeRecord: ({ key, text, offset }: RecordText) =>
    aSinkRecord({ key: textDatum(key), value: textDatum(`${key} ${text}`), offset }),
  makeRefused: ({ key, text, offset }: RecordText) =>
    aSinkRecord({ key: textDatum(key), value: textDatum(`${key}\n${text}`), offset }),
};

function heldText(line: string): HeldText {
  const [key = '', text = ''] = line.split(' ');
  return { key, text };
}
