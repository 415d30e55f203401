import { z } from 'zod';
import { intKey, textKey } from '../../core/config/keys.ts';
import { defineSink } from '../api/sink.ts';
import { formatKey } from './files/lines.ts';
import { PartWriter } from './files/part-writer.ts';

/** What a claim that takes over an open part has to copy; a second or two of a slow disk. */
const ROLL_BYTES_MAX = 1024 ** 3;

const Config = z.object({
  directory: textKey().describe(
    'Folder that receives the parts, in one folder for each shard. It is made where it does not exist.',
  ),
  ...formatKey,
  'file.name.prefix': z
    .preprocess((value) => value ?? '', z.string().regex(/^[^/\0]{0,100}$/, 'must have at most 100 characters, and no slash'))
    .describe('What the name of each part begins with, before generation, first offset and the offset behind the last.'),
  'file.roll.records': intKey({ min: 1, max: 1_000_000_000 })
    .default(1_000_000)
    .describe('A part with so many lines is published.'),
  'file.roll.bytes': intKey({ min: 1, max: ROLL_BYTES_MAX })
    .default(64 * 1024 * 1024)
    .describe('A part of so many bytes is published.'),
  'file.roll.ms': intKey({ min: 0, max: 86_400_000 })
    .default(60_000)
    .describe(
      'A part that was begun so long ago is published with the next batch. When an invocation ends, its part is published in any case; freshness.ms makes invocations fewer and parts larger.',
    ),
});

/**
 * Writes the records of each queue into a series of files of JSON lines or raw lines, each record exactly once, also across
 * `kill -9` and loss of power. A file is complete from the moment it can be seen: it is not changed any more, and may be moved
 * or removed.
 */
export const fileSink = defineSink({
  name: 'file-sink',
  version: '1.0.0',
  effect: 'transactional',
  reads: 'bytes',
  config: Config,

  async open(config, context) {
    const options = {
      directory: config.directory,
      prefix: config['file.name.prefix'],
      format: config.format,
      rollRecords: config['file.roll.records'],
      rollBytes: config['file.roll.bytes'],
      rollMs: config['file.roll.ms'],
    };
    return new PartWriter(options, context);
  },
});
