/** What `/sortie/v1` answers and takes. Offsets are decimal digits as text, for no double holds all of them. */
import { z } from 'zod';
import { answered, taken } from '../entities.ts';

const OffsetText = z.string().regex(/^\d+$/);
const Count = z.int().nonnegative();
/** Epoch ms. */
const Moment = z.number();

const Type = z.enum(['source', 'sink', 'unknown']);
const State = z.enum(['RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'UNASSIGNED']);

export const ConnectorBacklogs = z
  .array(
    z.object({
      connector: z.string(),
      type: Type,
      state: State,
      shards: Count,
      backlogRecords: z.number().nonnegative().nullable().describe('null: not known, as of a source.'),
      held: Count.describe('Slices that an invocation holds.'),
      positions: OffsetText.nullable().describe(
        'The positions of its queues added up, which grow with each record that is finished; null: it has none, as a source.',
      ),
    }),
  )
  .register(answered, { id: 'ConnectorBacklogs' });

const HeldSlice = z.object({
  offerId: z.string(),
  epoch: Count,
  start: OffsetText.optional(),
  end: OffsetText.nullable().optional().describe('null: it follows the end of the log.'),
  deadlineAtMs: Moment,
});

/** Given back, or failed. */
const WaitingRange = z.object({
  start: OffsetText,
  end: OffsetText,
  attempts: Count,
  deaths: Count,
  retryAtMs: Moment.describe('0: at once.'),
  code: z.string().nullable(),
});

const shard = {
  shard: z.string(),
  isRead: z.boolean().describe('Whether the configuration, as it is now, has it read.'),
  state: z.enum(['new', 'active', 'failed', 'gone', 'done', 'unreadable']).describe('new: no invocation has opened it yet.'),
  code: z.string().nullable().describe('Of what made it fail.'),
  restartAtMs: Moment.nullable().describe('When it restarts by itself.'),
  generation: Count.nullable(),
  held: z.array(HeldSlice),
};

const QueueShard = z.object({
  kind: z.literal('queue'),
  ...shard,
  topic: z.string(),
  brokerName: z.string(),
  queueId: Count,
  position: OffsetText.nullable().describe('The lowest offset that is not finished.'),
  next: OffsetText.nullable().describe('The first offset that nobody has claimed.'),
  min: OffsetText.nullable(),
  max: OffsetText.nullable().describe('null: the queue is gone.'),
  backlogRecords: z.number().nonnegative().nullable(),
  waiting: z.array(WaitingRange).describe('Claimed before, and nobody holds it.'),
});

const SourceShard = z.object({
  kind: z.literal('source'),
  ...shard,
  names: z.array(z.string()),
  checkpoint: z.unknown(),
});

/** Where a source looks for its other shards. */
const DiscoveryShard = z.object({ kind: z.literal('discovery'), ...shard });

export const ShardList = z
  .object({
    connector: z.string(),
    uid: z.string(),
    backlogRecords: z.number().nonnegative().nullable(),
    shards: z.array(z.discriminatedUnion('kind', [QueueShard, SourceShard, DiscoveryShard])),
  })
  .register(answered, { id: 'ShardList' });

const RunOutcome = z.enum(['drained', 'yielded', 'fenced', 'failed']).nullable().describe('null: there was nothing to claim.');
const RunError = z.object({ code: z.string(), stage: z.string(), message: z.string(), position: z.string().optional() });

const Measure = z.object({ count: Count, sum: z.number(), min: z.number(), max: z.number() });

const Run = z.looseObject({
  offerId: z.string(),
  owner: z.string(),
  connector: z.string(),
  shard: z.string(),
  startedAtMs: Moment,
  endedAtMs: Moment,
  outcome: RunOutcome,
  epoch: Count.optional(),
  counts: z.record(z.string(), z.number()),
  measures: z.record(z.string(), Measure).optional().describe('Of batches, polls, puts and commits; none: it is not there.'),
  error: RunError.optional(),
});

export const RunPage = z
  .object({ runs: z.array(Run), next: z.string().nullable().describe('Where to go on; null: there are no more.') })
  .register(answered, { id: 'RunPage' });

export const Reasons = z
  .object({
    connector: z.string(),
    state: State,
    problem: z.string().nullable().describe('What makes its configuration unusable.'),
    leads: z.boolean().describe('Whether whoever answers plans: only then it knows of limits and offers.'),
    leader: z
      .object({ owner: z.string(), untilMs: Moment })
      .nullable()
      .describe('Who plans, by the name that is in its log; null: whoever answers, or nobody.'),
    missingTopics: z
      .array(z.object({ topic: z.string(), means: z.string() }))
      .describe('Topics that it would read, and that there are not.'),
    shards: z.array(
      z.object({
        shard: z.string(),
        reason: z.string().nullable().describe('null: nothing is known of it yet.'),
        means: z.string(),
        withheld: z.string().nullable().describe('The limit that keeps it from getting more.'),
        problem: z.string().nullable(),
        offers: Count.nullable().describe('Invocations under way; null: whoever answers does not know.'),
      }),
    ),
  })
  .register(answered, { id: 'Reasons' });

const Goals = z
  .record(z.string(), z.string().regex(/^\d{1,19}$/, 'must be a whole number of at most 19 digits, as a text'))
  .describe('By shard: of a queue the offset to be reached, of a shard of a source the epoch to be passed.');

export const RunProgress = z
  .object({
    connector: z.string(),
    state: z.enum(['drained', 'moving', 'failed']).describe('failed: what is left waits for an operator.'),
    goals: Goals,
    shards: z.array(
      z.object({
        shard: z.string(),
        state: z.enum(['done', 'moving', 'failed']),
        position: z.string().nullable(),
        goal: z.string().nullable(),
      }),
    ),
  })
  .register(answered, { id: 'RunProgress' });

/** The goals of an answer before, to go on waiting for the same; the answer as a whole will do. */
export const StartRunRequest = z.object({ goals: Goals.clone().optional() }).register(taken, { id: 'StartRunRequest' });

// ---------------------------------------------------------------------------------------------------------------------

export const TopicNames = z.array(z.string()).register(answered, { id: 'TopicNames' });

const queue = { brokerName: z.string(), queueId: Count };

export const TopicQueues = z
  .object({
    topic: z.string(),
    queues: z.array(z.object({ ...queue, min: OffsetText, max: OffsetText })),
    groups: z.array(z.object({ group: z.string(), ...queue, offset: OffsetText, backlogRecords: Count.nullable() })),
  })
  .register(answered, { id: 'TopicQueues' });

const HeaderPairs = z.array(z.tuple([z.string(), z.string()]));

export const RecordPage = z
  .object({
    topic: z.string(),
    ...queue,
    min: OffsetText,
    max: OffsetText,
    next: OffsetText.describe('Where to read on.'),
    records: z.array(
      z.object({
        offset: OffsetText,
        key: z.unknown().optional().describe('A text, or what its JSON says; absent where that is too large.'),
        keyBase64: z.string().optional().describe('Instead of key, where it is no text.'),
        value: z.unknown().optional().describe('As key; null for a tombstone.'),
        valueBase64: z.string().optional(),
        tag: z.string().nullable(),
        headers: HeaderPairs,
        bytes: Count.describe('Of key and value.'),
        bornAtMs: Moment,
        storedAtMs: Moment,
      }),
    ),
  })
  .register(answered, { id: 'RecordPage' });

/** Of one request, whose body has its own limit. */
const RECORDS_MAX = 1_000;

const SentRecord = z.strictObject({
  key: z.unknown().optional().describe('A text is sent as it is, null not at all, anything else as JSON.'),
  keyBase64: z.string().optional().describe('Bytes, instead of key.'),
  value: z.unknown().optional().describe('As key; null, or absent, is a tombstone.'),
  valueBase64: z.string().optional(),
  headers: z.union([z.record(z.string(), z.string()), HeaderPairs]).optional(),
  tag: z.string().nullish(),
  queueId: Count.optional().describe('The queue. Absent: by the key, or any.'),
  brokerName: z.string().optional(),
});

export const SendRequest = z
  .union([SentRecord, z.array(SentRecord).min(1).max(RECORDS_MAX)])
  .register(taken, { id: 'SendRequest' });

export const SendResult = z
  .object({
    accepted: Count,
    refused: z.array(z.object({ index: Count, code: z.string(), message: z.string() })),
    queues: z.array(z.object({ ...queue, endOffset: OffsetText.describe('Behind the last of them.') })),
  })
  .register(answered, { id: 'SendResult' });

// ---------------------------------------------------------------------------------------------------------------------

const offer = { atMs: Moment, offerId: z.string(), connector: z.string(), shard: z.string() };

export const SchedulerEvent = z
  .discriminatedUnion('event', [
    z.object({
      event: z.literal('listening'),
      leads: z.boolean().describe('Without, nothing comes: another scheduler does it all.'),
    }),
    z.object({ event: z.literal('invocation-started'), ...offer, mode: z.enum(['slice', 'tail']) }),
    z.object({
      event: z.literal('invocation-ended'),
      ...offer,
      end: z.enum(['completed', 'died', 'lost', 'refused']),
      message: z.string().optional(),
      outcome: RunOutcome.optional(),
      refusal: z.string().optional(),
      epoch: Count.optional(),
      counts: z.record(z.string(), z.number()).optional(),
      error: RunError.optional(),
    }),
    z.object({ event: z.literal('connector-changed'), atMs: Moment, connector: z.string() }),
    z.object({ event: z.literal('too-slow') }).describe('Events were left out, and the stream ends.'),
  ])
  .register(answered, { id: 'SchedulerEvent' });
