/** `sortie plugins`: which there are, and the keys of one. */
import { type Command, Option } from 'commander';
import type { Entity } from '../../scheduler/app.ts';
import { addClientCommand, type ExitCode, type Program, type Session } from '../client-command.ts';
import { type Column, plain, table } from '../output.ts';

export function addPluginCommands(sortie: Command, program: Program): void {
  addClientCommand<{ readonly all?: boolean }>(sortie, program, {
    usage: 'plugins [name]',
    description: 'lists sources and sinks, or the keys of a plugin',
    options: [new Option('--all', 'also converters, transforms and predicates')],
    run: (session, [name], { all = false }) => (name === undefined ? list(session, all) : keys(session, name)),
  });
}

const PLUGINS: readonly Column<Entity<'PluginInfos'>[number]>[] = [
  { title: 'PLUGIN', text: (plugin) => plugin.class },
  { title: 'TYPE', text: ({ type }) => type },
  { title: 'VERSION', text: ({ version }) => version ?? '' },
];

async function list({ api, shell, show }: Session, all: boolean): Promise<ExitCode> {
  const plugins = await api.plugins({ connectorsOnly: !all });
  show({ plugins }, () => table(plugins, PLUGINS, shell));
  return 0;
}

/** Documentation is prose: it gets lines of its own. */
async function keys({ api, show }: Session, name: string): Promise<ExitCode> {
  const found = await api.pluginKeys(name);
  show({ plugin: name, keys: found }, () =>
    found
      .map(({ name: key, type, required, default_value: byDefault, documentation }) => {
        const need = required ? ', required' : byDefault === null || byDefault === '' ? '' : `, default ${byDefault}`;
        return plain(`${key} (${type.toLowerCase()}${need})\n    ${documentation}\n`);
      })
      .join(''),
  );
  return 0;
}
