import { expect } from 'vitest';
import { allPlugins } from '../../../plugins/registry.ts';
import { error, ORDERS, type Situation, situationsOf } from './situation.ts';

/** As its plugin's own, beside those of the runtime. */
function aKey(name: string, fields: object): object {
  return {
    name,
    type: 'STRING',
    required: false,
    default_value: null,
    importance: 'MEDIUM',
    documentation: expect.any(String),
    group: 'vault-sink',
    width: 'MEDIUM',
    display_name: name,
    dependents: [],
    order: 1,
    ...fields,
  };
}

const ADDRESS = aKey('address', { required: true, importance: 'HIGH' });
const TOKEN = aKey('token', { type: 'PASSWORD', default_value: '[hidden]', order: 2 });

/** Only some of the keys matter. */
function answering(check: { readonly errors: number; readonly keys: readonly object[] }): Pick<Situation, 'status' | 'body'> {
  return {
    status: 200,
    body: {
      name: expect.any(String),
      error_count: check.errors,
      groups: expect.arrayContaining(['Common', 'Transforms', 'Predicates', 'Error Handling']),
      configs: expect.arrayContaining([...check.keys]),
    },
  };
}

function value(name: string, fields: object = {}): object {
  return { name, value: null, recommended_values: [], errors: [], visible: true, ...fields };
}

const VAULT = { 'connector.class': 'vault-sink', topics: 'orders' };

const CONNECTORS = [
  { class: 'datagen-source', type: 'source', version: '1.0.0' },
  { class: 'discard-sink', type: 'sink', version: '1.0.0' },
];
const ALL = [
  ...CONNECTORS,
  { class: 'filter', type: 'transformation' },
  { class: 'json', type: 'converter' },
  { class: 'record-is-tombstone', type: 'predicate' },
];

/** Of what comes with the product, one of each kind. */
const SOME: Situation['deps'] = {
  plugins: async () => (await allPlugins()).filter((plugin) => ALL.some(({ class: name }) => name === plugin.name)),
};

const JSON_KEYS = [
  ['schemas.enable', { type: 'BOOLEAN', default_value: 'true', width: 'SHORT' }],
  ['schemas.cache.size', { type: 'INT', default_value: '1000', width: 'SHORT' }],
  ['decimal.format', { default_value: 'BASE64' }],
  ['replace.null.with.default', { type: 'BOOLEAN', default_value: 'true', width: 'SHORT' }],
] as const;

interface Validated {
  readonly groups: readonly string[];
  readonly configs: readonly { readonly definition: { readonly group: string; readonly order: number } }[];
}

const PATH = '/connector-plugins/vault-sink/config/validate';

export const pluginSituations: readonly Situation[] = [
  ...situationsOf('GET /connector-plugins', [
    ...['', '?connectorsOnly=true', '?connectorsOnly=TRUE'].map((query) => ({
      what: `connectors only: ${query || 'nothing is said'}`,
      deps: SOME,
      path: `/connector-plugins${query}`,
      status: 200,
      body: CONNECTORS,
    })),
    ...['false', 'False', 'bogus', ''].map((word) => ({
      what: `all kinds: ?connectorsOnly=${word}`,
      deps: SOME,
      path: `/connector-plugins?connectorsOnly=${word}`,
      status: 200,
      body: ALL,
    })),
    {
      what: 'connectors only, unless all are asked for',
      status: 200,
      body: expect.arrayContaining([
        { class: 'discard-sink', type: 'sink', version: '1.0.0' },
        { class: 'file-source', type: 'source', version: '1.0.0' },
        { class: 'vault-sink', type: 'sink', version: '2.1.0' },
      ]),
      then: async ({ ask }) => {
        const { body } = await ask('GET', '/connector-plugins?connectorsOnly=true');
        const kinds = new Set((body as { readonly type: string }[]).map(({ type }) => type));
        expect([...kinds].sort()).toEqual(['sink', 'source']);
      },
    },
    {
      what: 'all kinds',
      path: '/connector-plugins?connectorsOnly=False',
      status: 200,
      body: expect.arrayContaining([
        { class: 'json', type: 'converter' },
        { class: 'filter', type: 'transformation' },
        { class: 'record-is-tombstone', type: 'predicate' },
        { class: 'vault-sink', type: 'sink', version: '2.1.0' },
      ]),
    },
  ]),

  ...situationsOf('GET /connector-plugins/{plugin}/config', [
    {
      what: "of a connector, beside the runtime's",
      path: '/connector-plugins/vault-sink/config',
      status: 200,
      body: expect.arrayContaining([
        ADDRESS,
        TOKEN,
        aKey('connector.class', { type: 'CLASS', required: true, importance: 'HIGH', group: 'Common', width: 'LONG', order: 2 }),
        aKey('tasks.max', { type: 'INT', default_value: '1', importance: 'HIGH', group: 'Common', width: 'SHORT', order: 3 }),
      ]),
    },
    {
      what: 'of a transform, by its class in Kafka Connect',
      path: '/connector-plugins/org.apache.kafka.connect.transforms.ReplaceField$Value/config',
      status: 200,
      body: expect.arrayContaining([
        aKey('renames', { type: 'LIST', default_value: '', group: 'replace-field-value', order: 3 }),
      ]),
    },
    { what: 'of a predicate without keys', path: '/connector-plugins/RecordIsTombstone/config', status: 200, body: [] },
    ...['json', 'JsonConverter', 'org.apache.kafka.connect.json.JsonConverter'].map((plugin) => ({
      what: `of a converter: ${plugin}`,
      path: `/connector-plugins/${plugin}/config`,
      status: 200,
      body: JSON_KEYS.map(([name, fields], index) => aKey(name, { ...fields, group: 'json', order: index + 1 })),
    })),
    {
      what: 'of a predicate',
      path: '/connector-plugins/TopicNameMatches/config',
      status: 200,
      body: [aKey('pattern', { required: true, importance: 'HIGH', group: 'topic-name-matches' })],
    },
    ...['latest', '', '2.1.0', '[2.1.0]'].map((version) => ({
      what: `of version "${version}"`,
      path: `/connector-plugins/vault-sink/config?version=${version}`,
      status: 200,
      body: expect.arrayContaining([ADDRESS, TOKEN]),
    })),
    { what: 'of the latest version', path: '/connector-plugins/filter/config?version=latest', status: 200, body: [] },
    {
      what: 'of a version that there is not',
      path: '/connector-plugins/vault-sink/config?version=9',
      ...error(400, 'There is no version 9 of vault-sink, only 2.1.0'),
    },
    {
      what: 'of a version, where there are none',
      path: '/connector-plugins/json/config?version=1.0',
      ...error(400, 'There is no version 1.0 of json, only latest'),
    },
    {
      what: 'of a class of Kafka Connect that there is not',
      path: '/connector-plugins/org.apache.kafka.connect.transforms.Nothing$Value/config',
      ...error(404, 'Unknown plugin org.apache.kafka.connect.transforms.Nothing$Value.'),
    },
    { what: 'of none', path: '/connector-plugins/nothing/config', ...error(404, 'Unknown plugin nothing.') },
  ]),

  ...situationsOf('PUT /connector-plugins/{plugin}/config/validate', [
    {
      what: 'a right one; what is secret is not shown',
      path: PATH,
      ask: { body: { ...VAULT, address: 'here', token: 'open sesame' } },
      ...answering({
        errors: 0,
        keys: [
          { definition: ADDRESS, value: value('address', { value: 'here' }) },
          { definition: TOKEN, value: value('token', { value: '[hidden]' }) },
          {
            definition: expect.objectContaining({ name: 'errors.tolerance', group: 'Error Handling' }),
            value: value('errors.tolerance', { value: 'none', recommended_values: ['none', 'all'] }),
          },
          {
            definition: expect.objectContaining({ name: 'value.converter', type: 'CLASS' }),
            value: value('value.converter', { value: 'json', recommended_values: ['bytes', 'json', 'string'] }),
          },
          {
            definition: expect.objectContaining({
              name: 'value.converter.schemas.enable',
              type: 'BOOLEAN',
              group: 'Value Converter',
            }),
            value: value('value.converter.schemas.enable', { value: 'true', recommended_values: ['true', 'false'] }),
          },
        ],
      }),
    },
    {
      what: 'everything that is wrong, each by its key',
      path: PATH,
      ask: {
        body: {
          ...VAULT,
          'tasks.max': 'many',
          topics: null,
          speed: 'high',
          transforms: 'a,b',
          'transforms.a.type': 'Filter',
          'transforms.a.predicate': 'p',
        },
      },
      ...answering({
        errors: 6,
        keys: [
          { definition: ADDRESS, value: value('address', { errors: ['is required'] }) },
          {
            definition: expect.objectContaining({ name: 'tasks.max' }),
            value: value('tasks.max', { value: 'many', errors: ['must be a whole number from 1 to 10000, not "many"'] }),
          },
          {
            definition: expect.objectContaining({ name: 'topics' }),
            value: value('topics', { value: '', errors: ['Null value can not be supplied as the configuration value.'] }),
          },
          {
            definition: expect.objectContaining({ name: 'transforms.a.predicate', group: 'Transforms: a' }),
            value: value('transforms.a.predicate', { value: 'p', errors: ['names p, which predicates does not list'] }),
          },
          {
            definition: expect.objectContaining({ name: 'transforms.b.type', type: 'CLASS', required: true }),
            value: value('transforms.b.type', {
              recommended_values: expect.arrayContaining(['filter']),
              errors: ['is required'],
            }),
          },
          {
            definition: null,
            value: value('speed', { value: 'high', errors: [expect.stringContaining('is not a key of vault-sink')] }),
          },
        ],
      }),
    },
    {
      what: 'with a predicate, whose keys are among the others',
      path: PATH,
      ask: {
        body: {
          ...{ ...VAULT, address: 'here', transforms: 'drop', predicates: 'named' },
          ...{ 'transforms.drop.type': 'Filter', 'transforms.drop.predicate': 'named', 'transforms.drop.negate': true },
          ...{
            'predicates.named.type': 'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
            'predicates.named.pattern': 'a.*',
          },
        },
      },
      ...answering({
        errors: 0,
        keys: [
          {
            definition: expect.objectContaining({ name: 'transforms.drop.predicate' }),
            value: value('transforms.drop.predicate', { value: 'named', recommended_values: ['named'] }),
          },
          {
            definition: expect.objectContaining({ name: 'predicates.named.pattern', required: true, group: 'Predicates: named' }),
            value: value('predicates.named.pattern', { value: 'a.*' }),
          },
        ],
      }),
    },
    {
      what: 'keys in groups, and in order',
      path: PATH,
      ask: { body: { ...VAULT, address: 'here', transforms: 'drop', 'transforms.drop.type': 'Filter' } },
      status: 200,
      body: expect.objectContaining({
        name: 'vault-sink',
        error_count: 0,
        groups: [
          ...['Common', 'Transforms', 'Predicates', 'Error Handling', 'Exactly Once Support', 'Topic Creation', 'Delivery'],
          ...['Transforms: drop', 'Key Converter', 'Value Converter', 'vault-sink'],
        ],
      }),
      then: async ({ ask }) => {
        const { body } = await ask('PUT', PATH, { body: { ...VAULT, address: 'here' } });
        const { groups, configs } = body as Validated;
        const places = configs.map(({ definition: { group, order } }) => [groups.indexOf(group), order] as const);
        expect(places).toEqual([...places].sort(([a, m], [b, n]) => a - b || m - n));
        expect(new Set(places.map(String)).size).toBe(places.length);
      },
    },
    {
      what: 'what is secret, as it was shown',
      path: PATH,
      ask: { body: { ...VAULT, address: 'here', token: '[hidden]' } },
      ...answering({ errors: 0, keys: [{ definition: TOKEN, value: value('token', { value: '[hidden]' }) }] }),
    },
    {
      what: 'what sounds secret, and is not known',
      path: PATH,
      ask: { body: { ...VAULT, address: 'here', 'sasl.jaas.config': 'password=open' } },
      ...answering({
        errors: 1,
        keys: [
          {
            definition: null,
            value: value('sasl.jaas.config', {
              value: '[hidden]',
              errors: ['is not a key of vault-sink; it has address, token'],
            }),
          },
        ],
      }),
    },
    {
      what: 'a sink without topics',
      path: PATH,
      ask: { body: { 'connector.class': 'vault-sink', address: 'here' } },
      ...answering({
        errors: 1,
        keys: [
          {
            definition: expect.objectContaining({ name: 'topics', type: 'LIST' }),
            value: value('topics', { value: '', errors: ['is required: a sink reads at least one topic'] }),
          },
        ],
      }),
    },
    ...[null, '', ' '].map((name) => ({
      what: `a class of ${JSON.stringify(name)}`,
      path: PATH,
      ask: { body: { ...VAULT, 'connector.class': name } },
      ...error(400, 'Connector config {connector.class, topics} contains no connector type'),
    })),
    {
      what: 'a plugin that there is not, and a class that there is',
      path: '/connector-plugins/nothing/config/validate',
      ask: { body: VAULT },
      ...error(400, 'Included connector type vault-sink does not match request type nothing'),
    },
    {
      what: 'a plugin that is no connector',
      path: '/connector-plugins/json/config/validate',
      ask: { body: { ...VAULT, 'connector.class': 'json' } },
      status: 400,
      body: {
        error_code: 400,
        message: expect.stringMatching(
          /^Failed to find any class that implements Connector and which name matches json, available/,
        ),
      },
    },
    {
      what: 'another class',
      path: PATH,
      ask: { body: ORDERS },
      ...error(400, 'Included connector type memory-append does not match request type vault-sink'),
    },
    {
      what: 'no class',
      path: PATH,
      ask: { body: { topics: 'orders' } },
      ...error(400, 'Connector config {topics} contains no connector type'),
    },
    {
      what: 'an unknown class',
      path: '/connector-plugins/nothing/config/validate',
      ask: { body: { 'connector.class': 'nothing' } },
      status: 400,
      body: {
        error_code: 400,
        message: expect.stringMatching(
          /^Failed to find any class that implements Connector and which name matches nothing, available connectors are: .*, vault-sink$/,
        ),
      },
    },
  ]),
];
