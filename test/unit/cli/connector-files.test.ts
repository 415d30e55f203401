import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CliError } from '../../../cli/cli-error.ts';
import { type ConnectorFile, readConnectorFiles } from '../../../cli/connector-files.ts';
import { aTemporaryFolder } from '../../support/temporary-folder.ts';

const CONFIG = { 'connector.class': 'discard-sink', topics: 'orders', 'tasks.max': '2', 'errors.log.enable': 'true' };

describe('readConnectorFiles', () => {
  test.each([
    ['orders.json', JSON.stringify({ name: 'orders', config: CONFIG })],
    [
      'orders.json',
      `[{ "name": "orders", "config": ${JSON.stringify({ ...CONFIG, 'tasks.max': 2, 'errors.log.enable': true })} }]`,
    ],
    [
      'answered.json',
      JSON.stringify({ name: 'orders', config: CONFIG, tasks: [{ connector: 'orders', task: 0 }], type: 'sink' }),
    ],
    [
      'orders.yaml',
      `name: orders\nconfig:\n${Object.entries(CONFIG).map(([key, value]) => `  ${key}: ${value}\n`)}`.replaceAll(',', ''),
    ],
    [
      'ORDERS.YML',
      '- name: orders\n  config: { connector.class: discard-sink, topics: orders, tasks.max: 2, errors.log.enable: true }\n',
    ],
  ])('reads name and config of %s: %s', (file, text) => {
    const path = aFile(file, text);

    expect(readConnectorFiles(path)).toMatchObject([{ file: path, name: 'orders', config: CONFIG }]);
  });

  test.each([
    ['orders.json', JSON.stringify({ name: 'orders', ...CONFIG })],
    ['orders.yaml', 'name: orders\nconnector.class: discard-sink\ntopics: orders\ntasks.max: 2\nerrors.log.enable: true\n'],
    [
      'orders.properties',
      'name=orders\nconnector.class = discard-sink\ntopics:orders\ntasks.max 2\nerrors.log.enable=\\\n  true\n',
    ],
  ])('reads a flat one, whose name is a key of its config: %s', (file, text) => {
    const path = aFile(file, text);

    expect(readConnectorFiles(path)).toMatchObject([{ file: path, name: 'orders', config: { name: 'orders', ...CONFIG } }]);
  });

  test('reads all documents of a YAML file, and what they share', () => {
    const path = aFile(
      'all.yaml',
      `---
name: a
config: &common
  connector.class: discard-sink
  topics: orders
---
# nothing
---
- &b { name: b, config: { topics: 'null' } }
- name: c
  config: { <<: { errors.tolerance: all, topics: x }, topics: y }
`,
    );

    expect(namesAndConfigs(readConnectorFiles(path))).toEqual([
      ['a', { 'connector.class': 'discard-sink', topics: 'orders' }],
      ['b', { topics: 'null' }],
      ['c', { 'errors.tolerance': 'all', topics: 'y' }],
    ]);
  });

  test.each([
    ['n.json', '{"name":"n","a":12345678901234567890,"b":1.10,"c":1e3,"d":false,"e":"\\ud83d\\ude00"}'],
    ['n.yaml', 'name: n\na: 12345678901234567890\nb: 1.10\nc: 1e3\nd: false\ne: 😀'],
  ])('keeps numbers as they are written: %s', (file, text) => {
    const [connector] = readConnectorFiles(aFile(file, text));

    expect(connector?.config).toEqual({ name: 'n', a: '12345678901234567890', b: '1.10', c: '1e3', d: 'false', e: '😀' });
  });

  test('reads the known files of a folder, by name', () => {
    const folder = aTemporaryFolder();
    for (const name of ['c.yml', 'a.yaml']) writeFileSync(join(folder, name), `name: ${name}\n`);
    writeFileSync(join(folder, 'b.properties'), 'name=b');
    writeFileSync(join(folder, 'README.md'), '# Connectors');
    mkdirSync(join(folder, 'old'));

    expect(readConnectorFiles(folder).map(({ name }) => name)).toEqual(['a.yaml', 'b', 'c.yml']);
  });

  test.each([
    ['no JSON', 'x.json', '{\n  "name": "x",\n  "config": { oops }\n}', ':3: is not JSON from here on'],
    ['JSON that ends too early', 'x.json', '{\n"a": 1,\n', ':3: is not JSON from here on'],
    ['an empty file', 'x.json', '', ':1: is not JSON from here on'],
    ['an empty YAML file', 'x.yaml', '# nothing\n', ': is empty'],
    ['no YAML', 'x.yaml', 'name: x\nconfig:\n  a: b: c\n', ':3: Nested mappings are not allowed in compact mappings'],
    ['a key twice', 'x.yaml', 'name: x\na: 1\na: 2\n', ':3: Map keys must be unique'],
    ['no alias of that name', 'x.yaml', 'name: x\nconfig: *common\n', ': Unresolved alias'],
    ['half a unicode escape', 'x.properties', 'name=x\npath=C:\\users', ':2: \\u needs four'],
    ['no name', 'x.yaml', 'name: x\n---\nconfig: {}\n', ':3: a connector needs its name'],
    ['an empty name', 'x.properties', 'name=\na=1', ': a connector needs its name'],
    ['a list of texts', 'x.json', '[\n  {"name":"x"},\n  "y"\n]', ':3: a connector is a map of keys'],
    ['a value that is nothing', 'x.json', '{\n"name": "x",\n"config": {\n"topics": null } }', ':4: topics is nothing'],
    ['a list as a value', 'x.yaml', 'name: x\nconfig:\n  topics:\n    - a\n    - b\n', ':4: topics is a list'],
    ['a map as a value', 'x.yaml', 'name: x\nconfig:\n  transforms: { a: { type: Filter } }\n', ':3: transforms is a map'],
    ['a key beside name and config', 'x.yaml', 'name: x\nconfig: {}\ninitial_state: STOPPED\n', ':3: initial_state is neither'],
    [
      'a value that is wrong in what is shared',
      'x.yaml',
      '- { name: x, config: &a { b: [] } }\n- name: y\n  config: *a\n',
      ':1: b is a list',
    ],
    ['another ending', 'x.toml', 'name = "x"', ': its name ends neither in .json, nor in'],
  ])('refuses %s, naming file and line', (_, file, text, message) => {
    const path = aFile(file, text);

    expect(faultOf(path)).toContain(`${path}${message}`);
  });

  test('refuses bytes that are not UTF-8', () => {
    const path = join(aTemporaryFolder(), 'x.properties');
    writeFileSync(path, Buffer.from('name=größe', 'latin1'));

    expect(faultOf(path)).toBe(`${path}: is not UTF-8`);
  });

  test('says all that is wrong with the files of a folder', () => {
    const folder = aTemporaryFolder();
    writeFileSync(join(folder, 'a.json'), '{}');
    writeFileSync(join(folder, 'b.yaml'), 'name: b');
    writeFileSync(join(folder, 'c.properties'), 'name=b');
    writeFileSync(join(folder, 'd.yaml'), 'name: d\ntopics: []');

    const [first, second, third] = [join(folder, 'a.json'), join(folder, 'd.yaml'), join(folder, 'c.properties')];
    expect(faultOf(folder)).toBe(
      `${first}:1: a connector needs its name
${second}:2: topics is a list, and must be a text, a number, true or false
${third}: the connector b is in ${join(folder, 'b.yaml')} already`,
    );
  });

  test('refuses what is not there, and a folder without connectors', () => {
    const folder = aTemporaryFolder();

    expect(faultOf(folder)).toBe(`no file in ${folder} ends in .json, .properties, .yaml, .yml`);
    expect(faultOf(join(folder, 'gone.json'))).toContain('ENOENT');
  });
});

function aFile(name: string, text: string): string {
  const path = join(aTemporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

function namesAndConfigs(connectors: readonly ConnectorFile[]): readonly (readonly [string, ConnectorFile['config']])[] {
  return connectors.map(({ name, config }) => [name, config]);
}

function faultOf(path: string): string {
  try {
    readConnectorFiles(path);
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}
