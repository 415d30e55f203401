/** What connectors that copy topics between clusters have in common, whichever side of them the other cluster is on. */
import type { z } from 'zod';
import { rocketmqProblems } from '../../clients/rocketmq/settings-of.ts';
import { enumKey, textKey } from '../../core/config/keys.ts';
import { type RocketmqValues, rocketmqKeys } from '../../core/config/rocketmq-keys.ts';
import type { Passage } from './origins.ts';

const TOPIC = '${topic}';

/** In a list with commas between, and in a property. */
const CLUSTER_NAME = /^[\w-]{1,64}$/;

export const replicationKeys = {
  ...rocketmqKeys,
  topic: textKey()
    .default(TOPIC)
    .describe('Topic that receives the records. ${topic} in it stands for the name of the topic they come from.'),
  'queue.by': enumKey(['queue', 'key'])
    .default('queue')
    .describe(
      'Which queue a record goes to. queue: all records of a queue go to one, in their order. key: records of one key go to one, those without a key as with queue; order is kept among records of one key.',
    ),
  'source.cluster': clusterName().describe(
    'Name of the cluster that records are copied from. It is noted in the property sortie.origins of each copy, and no record is copied that has been there before: with target.cluster, for topics that are copied in both directions.',
  ),
  'target.cluster': clusterName().describe(
    'Name of the cluster that records are copied to. No record is copied that comes from there. All connectors between the same clusters name them alike.',
  ),
} as const;

function clusterName() {
  return textKey()
    .refine((name) => CLUSTER_NAME.test(name), 'must be 1 to 64 letters, digits, _ and -')
    .optional();
}

export type ReplicationValues = RocketmqValues & {
  readonly topic: string;
  readonly 'queue.by': 'queue' | 'key';
  readonly 'source.cluster'?: string | undefined;
  readonly 'target.cluster'?: string | undefined;
};

/** What holds for several keys. */
export function checkReplication(values: ReplicationValues, context: z.RefinementCtx): void {
  for (const { path, message } of rocketmqProblems(values)) context.addIssue({ code: 'custom', path: [path], message });
  const { 'source.cluster': from, 'target.cluster': to } = values;
  if ((from === undefined) !== (to === undefined)) {
    const path = from === undefined ? 'source.cluster' : 'target.cluster';
    context.addIssue({ code: 'custom', path: [path], message: 'is required: the names of both clusters go together' });
  }
  if (from !== undefined && from === to)
    context.addIssue({ code: 'custom', path: ['target.cluster'], message: 'must not be the name of source.cluster' });
}

export function topicFor({ topic: template }: Pick<ReplicationValues, 'topic'>, topic: string): string {
  return template.replaceAll(TOPIC, () => topic);
}

/** `null`: the clusters have no names, and nothing is noted of them. */
export function passageOf({ 'source.cluster': from, 'target.cluster': to }: ReplicationValues): Passage | null {
  return from === undefined || to === undefined ? null : { from, to };
}
