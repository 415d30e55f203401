/** Which plugins there are, what they can be told, and whether a configuration is right. */
import type { z } from 'zod';
import type { Plugin } from '../../plugins/api/registry.ts';
import type { AppDeps } from '../app-deps.ts';
import { checkConfig, findConnector, namesOf } from '../config-check.ts';
import { pluginKeys, runtimeKeys } from '../config-keys.ts';
import { ApiError } from './api-error.ts';
import { demandConnectorClass } from './demand-config.ts';
import { ConfigInfos, ConfigKeyInfos, NewConfig, PluginInfos } from './entities.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

const TYPES = {
  sink: 'sink',
  source: 'source',
  converter: 'converter',
  transform: 'transformation',
  predicate: 'predicate',
} as const satisfies Record<Plugin['kind'], string>;

export const pluginRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/connector-plugins',
    role: 'read',
    summary: 'The plugins there are',
    query: [
      {
        name: 'connectorsOnly',
        description: 'false: also converters, transforms and predicates.',
        schema: { type: 'string', examples: ['true', 'false'] },
      },
    ],
    answers: { 200: { description: 'The plugins', body: PluginInfos } },
    run: list,
  }),
  defineRoute({
    method: 'GET',
    path: '/connector-plugins/{plugin}/config',
    role: 'read',
    summary: 'The keys of a plugin',
    query: [
      {
        name: 'version',
        description: 'Of the plugin: latest, or the one there is.',
        schema: { type: 'string', examples: ['latest'] },
      },
    ],
    answers: { 200: { description: 'The keys', body: ConfigKeyInfos } },
    run: config,
  }),
  defineRoute({
    method: 'PUT',
    path: '/connector-plugins/{plugin}/config/validate',
    role: 'read',
    summary: 'What a configuration could hold, what it holds, and what is wrong with it',
    body: { schema: NewConfig, numbers: 'text' },
    answers: { 200: { description: 'Each key, also where something is wrong', body: ConfigInfos } },
    run: validate,
  }),
];

async function list({ plugins }: AppDeps, { query }: Call<unknown>): Promise<Answer> {
  const connectorsOnly = query.flag('connectorsOnly', { absent: true });
  const wanted = (await plugins()).filter(({ kind }) => !connectorsOnly || kind === 'sink' || kind === 'source');
  const listed = wanted.map((plugin) => ({ class: plugin.name, type: TYPES[plugin.kind], ...versionOf(plugin) }));
  return { status: 200, body: listed.sort((a, b) => (a.class < b.class ? -1 : 1)) };
}

/** Those of the connector plugins have their own versions, the others come with the product. */
function versionOf(plugin: Plugin): { readonly version?: string } {
  return 'version' in plugin ? { version: plugin.version } : {};
}

async function config(deps: AppDeps, { param, query }: Call<unknown>): Promise<Answer> {
  const plugin = await findPlugin(deps, param('plugin'));
  if (plugin === undefined) throw new ApiError(404, `Unknown plugin ${param('plugin')}.`);
  demandVersion(plugin, query.first('version') || 'latest');
  const isConnector = plugin.kind === 'sink' || plugin.kind === 'source';
  const offered = [...(isConnector ? runtimeKeys(namesOf(await deps.plugins())) : []), ...pluginKeys(plugin)];
  return { status: 200, body: [...new Map(offered.map(({ key }) => [key.name, key])).values()] };
}

/** One of them alone may be meant by a range of Maven's, too, but there is only one. */
function demandVersion(plugin: Plugin, wanted: string): void {
  const { version } = versionOf(plugin);
  if (wanted === 'latest' || wanted === version || wanted === `[${version}]`) return;
  throw new ApiError(400, `There is no version ${wanted} of ${plugin.name}, only ${version ?? 'latest'}`);
}

async function validate(deps: AppDeps, { param, body }: Call<z.output<typeof NewConfig>>): Promise<Answer> {
  await demandConnectorClass(deps, body);
  const included = body['connector.class'] ?? '';
  const requested = param('plugin');
  const isSame = (await findConnector(deps.registry, included))?.name === (await findConnector(deps.registry, requested))?.name;
  if (!isSame) throw new ApiError(400, `Included connector type ${included} does not match request type ${requested}`);
  return { status: 200, body: await checkConfig({ ...deps, plugins: await deps.plugins() }, body) };
}

async function findPlugin({ registry }: AppDeps, name: string): Promise<Plugin | undefined> {
  return (
    (await findConnector(registry, name)) ??
    registry.findConverter(name) ??
    registry.findTransform(name) ??
    registry.findPredicate(name)
  );
}
