import { z } from 'zod';
import { RetryableError } from '../../core/errors.ts';
import { ALL_TAKEN, defineSink } from '../api/sink.ts';

const Config = z.object({});

/**
 * Drops every record without looking at it: to measure what is in front of it, and to drain a topic. Nothing is kept, so
 * nothing is doubled either; `append` leaves it the most parallelism.
 */
export const discardSink = defineSink({
  name: 'discard-sink',
  version: '1.0.0',
  effect: 'append',
  reads: 'bytes',
  config: Config,

  async open() {
    return {
      async put(_batch, signal) {
        if (signal.aborted) throw new RetryableError('the put was aborted');
        return ALL_TAKEN;
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  },
});
