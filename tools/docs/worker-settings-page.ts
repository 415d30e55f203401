import type { z } from 'zod';
import { flagOf, variableOf, WorkerSettings, workerKeys } from '../../cli/worker-settings.ts';
import { keyFacts } from '../../core/config/keys.ts';
import { defaultOf, typeName, valuesOf } from './configuration-page.ts';
import { code, generatedFrom, page, table } from './markdown.ts';

const INTRODUCTION = `What \`sortie start\` may be told. Each setting can be given in three places, and its name there is made from its key. Where it is given in more than
one, the first of these counts:

1. a flag, \`--log-level debug\`;
2. the environment, \`SORTIE_LOG_LEVEL=debug\`. An empty variable counts as not set;
3. the file that \`--config FILE\` names, or else \`SORTIE_CONFIG\`: \`.properties\`, YAML or JSON. YAML and JSON may nest keys and write lists;
4. the default.

A key that is no setting is refused, with its file and line. Paths are relative to the folder in which the command runs.`;

const EXAMPLE = `\`\`\`properties
data = /var/lib/sortie
log.level = warn
secrets.env = DB_*, SEARCH_TOKEN
secrets.folders = /run/secrets
\`\`\`

The same in YAML:

\`\`\`yaml
data: /var/lib/sortie
log.level: warn
secrets:
  env: [DB_*, SEARCH_TOKEN]
  folders: [/run/secrets]
\`\`\`

With topics in a RocketMQ cluster:

\`\`\`properties
data = /var/lib/sortie
broker = rocketmq
rocketmq.namesrv.addr = mq-1:9876, mq-2:9876
rocketmq.access.key = sortie
rocketmq.secret.key = \${file:/run/secrets/rocketmq.properties:secret}
rocketmq.tls.enabled = true
\`\`\``;

export function workerSettingsPage(): string {
  const rows = workerKeys.map((key) => {
    const type: z.ZodType = WorkerSettings.shape[key];
    return [
      code(key),
      code(flagOf(key)),
      code(variableOf(key)),
      typeName(keyFacts(type).type),
      valuesOf(type),
      defaultOf(type),
      type.description ?? '',
    ];
  });
  return page([
    '# Worker settings',
    generatedFrom('cli/worker-settings.ts'),
    INTRODUCTION,
    table(['key', 'flag', 'environment', 'type', 'values', 'default', 'what it does'], rows),
    '## Example',
    EXAMPLE,
    `\`rocketmq.access.key\` and \`rocketmq.secret.key\` may hold placeholders for secrets, as connectors do, and may name every variable and file. They are read
once, at the start. A flag can be read by everybody who lists the processes of the machine; a variable, a file and a placeholder cannot.`,
    'How to reach a RocketMQ cluster: [rocketmq.md](rocketmq.md). What a connector may say of secrets is in [configuration.md](configuration.md#secrets).',
  ]);
}
