import { z } from 'zod';
import { intKey } from '../../../core/config/keys.ts';
import { checkReplication, replicationKeys } from '../../replication/replication-keys.ts';

export const SinkConfig = z
  .object({
    ...replicationKeys,
    'topic.queues': intKey({ min: 0, max: 1_024 })
      .default(0)
      .describe('Queues of a topic that is created where it does not exist. 0: none is created, and the shard fails.'),
  })
  .superRefine(checkReplication);

export type SinkSettings = z.output<typeof SinkConfig>;
