import { glob } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { fileError } from '../../clients/files/file-error.ts';
import { enumKey, intKey, listKey, textKey } from '../../core/config/keys.ts';
import { FatalTaskError } from '../../core/errors.ts';
import { defineSource, type SourceShard } from '../api/source.ts';
import { FileReader } from './files/file-reader.ts';
import { lineRecords } from './files/line-records.ts';

/** How soon a new file is found. */
const DISCOVER_EVERY_MS = 10_000;

/** Each is a shard, which the scheduler keeps in memory for ever. */
const FILES_MAX = 10_000;

const Config = z
  .object({
    topic: textKey().describe(
      'Topic that receives the lines. ${file} in it stands for the name of the file up to its first dot, other characters than letters, digits, - and _ made _.',
    ),
    file: textKey().optional().describe('Path of one file. What it is renamed to by log rotation is read to its end first.'),
    files: listKey()
      .default([])
      .describe(
        'Paths with * ? [a-z] {a,b} and **, of files that are read side by side. They should not match the names that log rotation gives.',
      ),
    format: enumKey(['text', 'json', 'raw'])
      .default('text')
      .describe(
        'What a line is. text: a string, without its line break. json: a JSON document; blank lines are skipped. raw: bytes as they are, for value.converter=bytes. Text that is not UTF-8 becomes bytes.',
      ),
    // What a broker takes at most, with room for key and headers.
    'max.line.bytes': intKey({ min: 1, max: 4_000_000 }).default(1_000_000).describe('Longest line.'),
    'line.too.long': enumKey(['fail', 'cut'])
      .default('fail')
      .describe('A line longer than max.line.bytes. fail: it is refused, see errors.tolerance. cut: its beginning is sent.'),
    'line.quiet.ms': intKey({ min: 0, max: 86_400_000 })
      .optional()
      .describe(
        'A last line without a line break is sent once the file has not changed for so long; what is appended to it later is a line of its own, and then that one line is not sent exactly once: see docs/plugins/file-source.md. Absent: it waits for its line break, or for the next file.',
      ),
    'poll.interval.ms': intKey({ min: 10, max: 3_600_000 })
      .default(1_000)
      .describe('How long after its end was reached a file is looked at again.'),
    'file.header': textKey().optional().describe('Header that holds the path of the file. Absent: none.'),
    'offset.header': textKey().optional().describe('Header that holds the byte at which the line begins. Absent: none.'),
  })
  .superRefine(({ file, files }, context) => {
    if ((file === undefined) === (files.length === 0))
      context.addIssue({ code: 'custom', path: ['file'], message: 'either file or files is required' });
  });

/**
 * Reads lines of files as they grow, each file a shard of its own, and resumes at the exact byte. Rotation and truncation are
 * noticed by the file's inode, and by the first and last bytes of what was read; what was written between the last read and a
 * truncation is lost. `docs/plugins/file-source.md` has what it cannot promise.
 */
export const fileSource = defineSource({
  name: 'file-source',
  version: '1.0.0',
  exactlyOnce: true,
  discoverEveryMs: DISCOVER_EVERY_MS,
  config: Config,

  async discover({ file, files }, { log }) {
    if (file !== undefined) return [shardOf(resolve(file))];
    const paths = new Set<string>();
    for (const pattern of files) for (const path of await matching(pattern)) paths.add(path);
    if (paths.size > FILES_MAX)
      throw new FatalTaskError(`${files.join(',')} matches ${paths.size} files, at most ${FILES_MAX} are read; next: narrow it`);
    if (paths.size === 0) log('info', `no file matches ${files.join(',')} yet`);
    return [...paths].sort().map(shardOf);
  },

  async open(config, [path = ''], checkpoint, context) {
    const { topic, format } = config;
    const lineBytesMax = config['max.line.bytes'];
    const toRecord = lineRecords({
      path,
      topic,
      format,
      lineBytesMax,
      tooLong: config['line.too.long'],
      fileHeader: config['file.header'],
      offsetHeader: config['offset.header'],
    });
    const { 'poll.interval.ms': idleForMs, 'line.quiet.ms': quietMs } = config;
    return new FileReader({ path, lineBytesMax, toRecord, idleForMs, quietMs }, checkpoint, context);
  },
});

function shardOf(path: string): SourceShard {
  return { names: [path], finite: false };
}

async function matching(pattern: string): Promise<readonly string[]> {
  const paths: string[] = [];
  try {
    for await (const found of glob(pattern, { withFileTypes: true })) {
      if (found.isFile() || found.isSymbolicLink()) paths.push(resolve(found.parentPath, found.name));
    }
  } catch (error) {
    throw fileError(error, { path: pattern, what: 'list', code: 'source.unavailable' });
  }
  return paths;
}
