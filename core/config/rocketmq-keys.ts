/**
 * How a RocketMQ cluster is reached. A worker has these keys behind `rocketmq.`; a plugin that speaks to a cluster of its own has them
 * behind a prefix of its choice. `clients/rocketmq/settings-of.ts` makes of their values what a client is opened with.
 */
import type { z } from 'zod';
import { addressesKey, booleanKey, passwordKey, textKey } from './keys.ts';

export const rocketmqKeys = {
  'namesrv.addr': addressesKey()
    .default([])
    .describe(
      'Name servers of the RocketMQ cluster, host:port each. The brokers are then reached at the addresses they advertise.',
    ),
  'proxy.addr': addressesKey()
    .default([])
    .describe('Remoting ports of RocketMQ proxies, host:port each. Empty: brokers are asked themselves.'),
  namespace: textKey()
    .default('')
    .describe('Instance of a hosted cluster, which stands before each name of a topic or group there. Empty: none.'),
  'group.id': textKey()
    .default('sortie')
    .describe('Group under which topics are read and written; its access key may have to name it.'),
  'access.key': textKey().default('').describe('Access key (ACL). Empty: none.'),
  'secret.key': passwordKey().default('').describe('Secret key that belongs to the access key.'),
  'tls.enabled': booleanKey().default(false).describe('Speak TLS to name servers, brokers and proxies.'),
  'tls.ca.file': textKey()
    .default('')
    .describe('PEM file of the authorities that may vouch for the servers. Empty: those that Node.js knows.'),
  'tls.insecure': booleanKey().default(false).describe('Take every certificate, also one that nobody vouches for. For tests.'),
} as const satisfies Readonly<Record<string, z.ZodType>>;

/** Their values. */
export type RocketmqValues = { readonly [Key in keyof typeof rocketmqKeys]: z.output<(typeof rocketmqKeys)[Key]> };
