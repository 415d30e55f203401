/**
 * A connector's status as Kafka Connect shows it, from the connector's document and its cursors alone.
 *
 * - PAUSED and STOPPED are shown once every gate says so: from then on nothing starts (I9). Whoever asks reads the document
 *   first and the cursors after it, for a cursor that is created between the two is looked at by whoever created it.
 * - What stands still names its position, why, and what to do (I10).
 */
import { backlogFrom } from '../core/backlog.ts';
import type { Connector } from '../core/connector.ts';
import { type Cursor, watermark } from '../core/cursor/cursor.ts';
import { type ErrorCode, errorCodes } from '../core/error-codes.ts';
import type { FatalTaskError } from '../core/errors.ts';
import { queueKey } from '../core/message-queue.ts';
import type { QueueBounds } from '../core/ports.ts';
import { isDiscoveryShard, queueOfShard, type ShardId, sourceNamesOfShard } from '../core/shard-id.ts';
import type { KnownConnector } from './known-connector.ts';

export type ConnectorState = 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'UNASSIGNED';

type TaskState = Exclude<ConnectorState, 'STOPPED'>;

interface State<S> {
  readonly state: S;
  /** Kafka Connect's `host:port` of a worker; here of whoever answers, for no worker owns anything. */
  readonly worker_id: string;
  readonly trace?: string;
  /** Of the plugin; absent where that is not known. */
  readonly version?: string;
}

export interface TaskStatus extends State<TaskState> {
  readonly id: number;
}

/** Kafka Connect's `ConnectorStateInfo`, names of fields included. */
export interface ConnectorStatus {
  readonly name: string;
  readonly connector: State<ConnectorState>;
  readonly tasks: readonly TaskStatus[];
  readonly type: 'source' | 'sink' | 'unknown';
}

/** A shard as far as it is known. */
export interface ShardView {
  readonly shard: ShardId;
  /** `null` before its first invocation. */
  readonly cursor: Cursor | null;
  /** Why its stored cursor cannot be read; `cursor` is then older, if there is one. */
  readonly problem: FatalTaskError | null;
}

type Subject = Pick<KnownConnector, 'connector' | 'planned' | 'topics' | 'problem' | 'pluginVersion'>;

/** Of one trace: it is read by people, and a connector may have thousands of shards. */
const TRACE_LINES_MAX = 10;

/** A source's checkpoint may have 16 KB. */
const CHECKPOINT_CHARACTERS_MAX = 200;

export function statusOf(known: Subject, shards: readonly ShardView[], workerId: string): ConnectorStatus {
  const { connector, problem, topics } = known;
  const isClosed = connector.targetState !== 'running' && shards.every((shard) => isRaised(shard, connector));
  const state = connectorState(known, shards, isClosed);
  return {
    name: connector.name,
    connector: { state, ...instanceOf(known, workerId), ...traced(connectorTrace(known, shards)) },
    tasks: state === 'STOPPED' ? [] : tasksOf(known, shards, workerId),
    type: problem !== null ? 'unknown' : topics === null ? 'source' : 'sink',
  };
}

/** What the tasks of a connector depend on, beside its shards. */
export interface DealtBy extends Pick<Subject, 'topics'> {
  readonly planned: Pick<Subject['planned'], 'tasksMax'>;
}

/** The shards of each task. */
export function dealt<Shard extends Pick<ShardView, 'shard'>>(
  { planned, topics }: DealtBy,
  shards: readonly Shard[],
): readonly (readonly Shard[])[] {
  const read = shards.filter(({ shard }) => !isDiscoveryShard(shard) && isStillRead(shard, topics));
  const inOrder = read.sort((a, b) => (a.shard < b.shard ? -1 : 1));
  const tasks = Array.from({ length: Math.min(planned.tasksMax, inOrder.length) }, (): Shard[] => []);
  for (const [index, shard] of inOrder.entries()) tasks[index % tasks.length]?.push(shard);
  return tasks;
}

/** Of a connector whose document cannot be read: nothing but its name is known. */
export function unreadableStatus(name: string, error: FatalTaskError, workerId: string): ConnectorStatus {
  const connector = { state: 'FAILED', worker_id: workerId, trace: traceLine(error.code, error.message) } as const;
  return { name, connector, tasks: [], type: 'unknown' };
}

/** Records that wait in a queue, or are being moved; `null` for what has no end that is known. */
export function backlogOf(cursor: Cursor | null, bounds: QueueBounds | null): number | null {
  return cursor?.kind === 'log' ? backlogFrom(watermark(cursor), bounds) : null;
}

/** `topic/broker/queue@watermark`; of a source the names of the shard and its checkpoint. */
function positionOf(shard: ShardId, cursor: Cursor | null): string {
  const queue = queueOfShard(shard);
  const name = queue === undefined ? (sourceNamesOfShard(shard)?.join('/') ?? 'discovery') : queueKey(queue);
  if (cursor === null) return name;
  if (cursor.kind === 'log') return `${name}@${watermark(cursor)}`;
  return cursor.checkpoint === null ? name : `${name}@${JSON.stringify(cursor.checkpoint).slice(0, CHECKPOINT_CHARACTERS_MAX)}`;
}

// ---------------------------------------------------------------------------------------------------------------------

/** A shard without a cursor has no gate yet: whoever creates one looks at the document after it. */
function isRaised({ cursor, problem }: ShardView, { revision }: Connector): boolean {
  return problem === null && (cursor === null || cursor.gate.revision >= revision);
}

function connectorState({ connector, problem }: Subject, shards: readonly ShardView[], isClosed: boolean): ConnectorState {
  if (isClosed) return connector.targetState === 'paused' ? 'PAUSED' : 'STOPPED';
  const discovery = shards.find(({ shard }) => isDiscoveryShard(shard));
  if (problem !== null || (discovery !== undefined && failureOf(discovery) !== null)) return 'FAILED';
  return shards.some(wasOpened) ? 'RUNNING' : 'UNASSIGNED';
}

/** A connector finds its shards itself, as Kafka Connect's do: what is wrong with that is not a task's. */
function connectorTrace({ problem }: Subject, shards: readonly ShardView[]): readonly string[] {
  if (problem !== null) return [traceLine('config.invalid', problem)];
  return shards.filter(({ shard }) => isDiscoveryShard(shard)).flatMap((shard) => failureOf(shard) ?? []);
}

function tasksOf(known: Subject, shards: readonly ShardView[], workerId: string): readonly TaskStatus[] {
  return dealt(known, shards).map((own, id) => {
    const trace = own.flatMap((shard) => failureOf(shard) ?? absenceOf(shard) ?? []);
    return { id, state: taskState(known.connector, own), ...instanceOf(known, workerId), ...traced(trace) };
  });
}

function instanceOf({ pluginVersion }: Subject, workerId: string): Pick<State<unknown>, 'worker_id' | 'version'> {
  return { worker_id: workerId, ...(pluginVersion === null ? {} : { version: pluginVersion }) };
}

function taskState(connector: Connector, shards: readonly ShardView[]): TaskState {
  if (shards.some((shard) => failureOf(shard) !== null)) return 'FAILED';
  if (shards.every((shard) => absenceOf(shard) !== null || !wasOpened(shard))) return 'UNASSIGNED';
  return connector.targetState === 'paused' && shards.every((shard) => isRaised(shard, connector)) ? 'PAUSED' : 'RUNNING';
}

/** A topic that was taken out of the configuration leaves its positions behind, and nothing that has to be done. */
function isStillRead(shard: ShardId, topics: Subject['topics']): boolean {
  const queue = queueOfShard(shard);
  return topics === null || queue === undefined || topics.includes(queue.topic);
}

/** An invocation, or an operator, has looked at the connector for it. */
function wasOpened({ cursor }: ShardView): boolean {
  return cursor !== null && cursor.gate.revision > 0;
}

function failureOf({ shard, cursor, problem }: ShardView): string | null {
  if (problem !== null) return traceLine(problem.code, problem.message, positionOf(shard, cursor));
  if (cursor?.status.state !== 'failed') return null;
  const { code, retryAtMs } = cursor.status;
  const restarts = retryAtMs === null ? '' : ` It restarts by itself at ${new Date(retryAtMs).toISOString()}.`;
  return traceLine(code, errorCodes[code].meaning + restarts, positionOf(shard, cursor));
}

function absenceOf({ shard, cursor }: ShardView): string | null {
  return cursor?.status.state === 'gone'
    ? `${positionOf(shard, cursor)}: the queue is gone; it goes on should it be back.`
    : null;
}

function traceLine(code: ErrorCode, what: string, position?: string): string {
  const sentence = /[.!?]$/.test(what) ? what : `${what}.`;
  return `${code}${position === undefined ? '' : ` at ${position}`}: ${sentence} Next: ${errorCodes[code].next}`;
}

/** Kafka Connect leaves out a trace that is empty. */
function traced(lines: readonly string[]): { readonly trace?: string } {
  if (lines.length === 0) return {};
  const more = lines.length - TRACE_LINES_MAX;
  return { trace: [...lines.slice(0, TRACE_LINES_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join('\n') };
}
