import { defineSink } from '../api/sink.ts';
import { authorizationOf } from './http/authorization-of.ts';
import { BatchWriter } from './http/batch-writer.ts';
import { Endpoint } from './http/endpoint.ts';
import { HttpSinkConfig } from './http/http-config.ts';
import { SingleWriter } from './http/single-writer.ts';
import { Judge } from './http/verdict.ts';

/**
 * Sends records to an HTTP endpoint, each by a request of its own or many by one, as the bytes that the value converter writes.
 *
 * At least once: what was sent and not committed is sent again, a record under the same idempotency key, so that an endpoint that
 * honours it sees each record once. A record counts as taken once the endpoint has answered with 2xx to the end of its answer, or
 * to the first 64 KB of it.
 */
export const httpSink = defineSink({
  name: 'http-sink',
  version: '1.0.0',
  effect: 'append',
  reads: 'bytes',
  config: HttpSinkConfig,

  async open(config, context) {
    const authorization = authorizationOf(config, context);
    const judge = new Judge(config, () => authorization.secrets());
    const endpoint = new Endpoint(config, { authorization, judge, context });
    const { clock } = context;
    return config['batching.enabled']
      ? new BatchWriter(config, { endpoint, judge, clock })
      : new SingleWriter(config, { endpoint, clock });
  },
});
