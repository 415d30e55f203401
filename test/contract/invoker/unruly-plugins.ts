/** The registry of hosts under test: the product's plugins, and a sink that does to its host what a plugin never should. */
import { appendFileSync, existsSync } from 'node:fs';
import process from 'node:process';
import { threadId } from 'node:worker_threads';
import { z } from 'zod';
import { AssertionError } from '../../../core/assert.ts';
import type { Registry } from '../../../plugins/api/registry.ts';
import { ALL_TAKEN, defineSink } from '../../../plugins/api/sink.ts';
import { registry as products } from '../../../plugins/registry.ts';

const BEHAVIOURS = ['takes', 'waits', 'asserts', 'exits', 'throws-later', 'spins'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

const Config = z.object({
  does: z.enum(BEHAVIOURS).describe('In a put; `spins` already when it is opened.'),
  marks: z.string().describe('File that gets a line for each thing done: which host, which connector, what.'),
});

const unrulySink = defineSink({
  name: 'unruly-sink',
  version: '1.0.0',
  effect: 'append',
  reads: 'bytes',
  config: Config,

  async open({ does, marks }, { connector, clock, log, count }) {
    const mark = (what: string): void =>
      appendFileSync(
        marks,
        `${JSON.stringify({ pid: process.pid, threadId, connector, what, env: Object.keys(process.env) })}\n`,
      );
    mark('opened');
    if (does === 'spins') for (;;);
    return {
      async put() {
        mark('put');
        count('puts');
        log('info', 'a put begins', { offset: 7n, cause: new Error('none') });
        switch (does) {
          case 'asserts':
            throw new AssertionError('the plugin asserts');
          case 'exits':
            return process.exit(7);
          case 'throws-later':
            setTimeout(() => {
              throw new Error('thrown when nobody listens');
            }, 1);
            return clock.sleep(60_000).then(() => ALL_TAKEN);
          case 'waits':
            while (!existsSync(`${marks}.go`)) await clock.sleep(5);
            return ALL_TAKEN;
          case 'takes':
            return ALL_TAKEN;
        }
      },
      flush: () => Promise.resolve(),
      close: async () => mark('closed'),
    };
  },
});

export const registry: Registry = {
  ...products,
  findSink: async (name) => (name === unrulySink.name ? unrulySink : products.findSink(name)),
};
