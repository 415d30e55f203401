/** `sortie topics` and `peek`: what the log holds. */
import { type Command, Option } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { namedConnectors } from '../connector-names.ts';
import { type Column, plain, relative, table } from '../output.ts';

type Page = Entity<'RecordPage'>;
type PeekedRecord = Page['records'][number] & Pick<Page, 'brokerName' | 'queueId'>;

/** What the server shows of a queue unless it is told; here of all queues together. */
const RECORDS = 10;

interface PeekOptions {
  readonly queue?: string;
  readonly broker?: string;
  readonly from?: string;
  readonly limit?: string;
}

export function addLogCommands(sortie: Command, program: Program): void {
  addClientCommand<{ readonly of?: string }>(sortie, program, {
    usage: 'topics [topic]',
    description: 'lists topics, or the queues of one with the offsets that they hold and how far consumer groups have come',
    options: [new Option('--of <name>', 'topics whose records a connector moved, or those that a pattern matches')],
    run: (session, [name], { of }) => {
      if (name !== undefined) return queues(session, name);
      return of === undefined ? topics(session) : activeTopics(session, of);
    },
  });
  addClientCommand<PeekOptions>(sortie, program, {
    usage: 'peek <topic>',
    description: 'shows records of a topic: the last ones, unless told from where; moves no position',
    options: [
      new Option('--from <position>', 'an offset, earliest, or latest'),
      new Option('--limit <count>', `records at most (default: ${RECORDS})`),
      new Option('--queue <id>', 'only of queues of this number'),
      new Option('--broker <name>', 'only of queues on this broker'),
    ],
    run: peek,
  });
}

async function topics({ api, show }: Session): Promise<ExitCode> {
  const names = await api.topicNames();
  show({ topics: names }, () => (names.length === 0 ? 'no topics\n' : names.map((name) => `${plain(name)}\n`).join('')));
  return 0;
}

const QUEUES: readonly Column<Entity<'TopicQueues'>['queues'][number]>[] = [
  { title: 'BROKER', text: ({ brokerName }) => brokerName },
  { title: 'QUEUE', text: ({ queueId }) => String(queueId), isNumber: true },
  { title: 'FROM', text: ({ min }) => min, isNumber: true },
  { title: 'UP TO', text: ({ max }) => max, isNumber: true },
  { title: 'RECORDS', text: ({ min, max }) => String(BigInt(max) - BigInt(min)), isNumber: true },
];

const GROUPS: readonly Column<Entity<'TopicQueues'>['groups'][number]>[] = [
  { title: 'GROUP', text: ({ group }) => group },
  { title: 'BROKER', text: ({ brokerName }) => brokerName },
  { title: 'QUEUE', text: ({ queueId }) => String(queueId), isNumber: true },
  { title: 'OFFSET', text: ({ offset }) => offset, isNumber: true },
  { title: 'BACKLOG', text: ({ backlogRecords }) => String(backlogRecords ?? '-'), isNumber: true },
];

async function queues({ api, shell, show }: Session, name: string): Promise<ExitCode> {
  const topic = await api.topic(name);
  const groups = (): string => (topic.groups.length === 0 ? '' : `\n${table(topic.groups, GROUPS, shell)}`);
  show(topic, () => `${table(topic.queues, QUEUES, shell)}${groups()}`);
  return 0;
}

async function activeTopics({ api, shell, show }: Session, of: string): Promise<ExitCode> {
  const found: { readonly name: string; readonly topics: readonly string[] }[] = [];
  for (const name of await namedConnectors(api, [of])) {
    found.push({ name, topics: (await api.activeTopics(name))[name]?.topics ?? [] });
  }
  const rows = found.flatMap(({ name, topics: each }) => each.map((topic) => ({ name, topic })));
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { title: 'CONNECTOR', text: ({ name }) => name },
    { title: 'TOPIC', text: ({ topic }) => topic },
  ];
  show({ connectors: found }, () => (rows.length === 0 ? 'no records moved yet\n' : table(rows, columns, shell)));
  return 0;
}

/** Of all queues that are chosen, in the order in which they were stored. */
async function peek({ api, shell, show }: Session, [topic = '']: readonly string[], options: PeekOptions): Promise<ExitCode> {
  const { queue, broker, from = 'latest', limit = String(RECORDS) } = options;
  const records: PeekedRecord[] = [];
  const chosen = (await api.topic(topic)).queues.filter(
    ({ queueId, brokerName }) => (queue ?? String(queueId)) === String(queueId) && (broker ?? brokerName) === brokerName,
  );
  // None fits: the server says which there are.
  const asked = chosen.length === 0 ? [{ queueId: queue, brokerName: broker }] : chosen;
  for (const { queueId, brokerName } of asked) {
    const place = {
      ...(queueId === undefined ? {} : { queue: String(queueId) }),
      ...(brokerName === undefined ? {} : { broker: brokerName }),
    };
    const page = await api.records(topic, { ...place, from, limit });
    records.push(...page.records.map((record) => ({ ...record, brokerName: page.brokerName, queueId: page.queueId })));
  }
  records.sort((a, b) => a.storedAtMs - b.storedAtMs);
  const shown = from === 'latest' ? records.slice(-Number(limit)) : records.slice(0, Number(limit));
  const nowMs = shell.nowMs();
  const columns: readonly Column<PeekedRecord>[] = [
    { title: 'QUEUE', text: ({ brokerName, queueId }) => `${brokerName}/${queueId}` },
    { title: 'OFFSET', text: ({ offset }) => offset, isNumber: true },
    { title: 'STORED', text: ({ storedAtMs }) => relative(storedAtMs, nowMs) },
    { title: 'KEY', text: ({ key, keyBase64 }) => contentText(key, keyBase64) },
    { title: 'VALUE', text: ({ value, valueBase64, bytes }) => contentText(value, valueBase64) || `(${bytes} bytes)` },
  ];
  show({ topic, records: shown }, () => (shown.length === 0 ? 'no records\n' : table(shown, columns, shell)));
  return 0;
}

/** A text as it is, anything else as JSON; nothing where it is too large to be shown, `-` where there is none. */
function contentText(content: unknown, base64: string | undefined): string {
  if (base64 !== undefined) return `base64:${base64}`;
  if (content === undefined) return '';
  if (content === null) return '-';
  return typeof content === 'string' ? content : JSON.stringify(content);
}
