/** A sink that is told a secret, and nothing is ever put into. */
import { z } from 'zod';
import { textKey } from '../../core/config/keys.ts';
import { ALL_TAKEN, defineSink } from '../../plugins/api/sink.ts';

export const vaultSink = defineSink({
  name: 'vault-sink',
  version: '2.1.0',
  effect: 'append',
  reads: 'bytes',
  config: z.object({
    address: textKey().describe('Where the vault is.'),
    token: textKey().meta({ format: 'password' }).default('swordfish').describe('What opens it.'),
  }),
  open: async () => ({ put: async () => ALL_TAKEN, flush: () => Promise.resolve(), close: () => Promise.resolve() }),
});
