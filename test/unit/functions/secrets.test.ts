import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LocalSecrets, NO_SECRETS } from '../../../adapters/secrets/local-secrets.ts';
import { parseConnectorConfig } from '../../../core/config/connector-config.ts';
import { intKey, passwordKey, textKey } from '../../../core/config/keys.ts';
import { readConnector } from '../../../core/connector.ts';
import { RecordError, RetryableError } from '../../../core/errors.ts';
import type { Secrets } from '../../../core/ports.ts';
import type { PluginContext } from '../../../plugins/api/context.ts';
import { ALL_TAKEN, defineSink, type PutBatch, type PutResult } from '../../../plugins/api/sink.ts';
import { configureConnector } from '../../../plugins/configure.ts';
import { changeConfig } from '../../../scheduler/connector-actions.ts';
import { aSinkShard } from '../../support/sink-shard.ts';

const PASSWORD = 'hunter2 "quoted" & more';

describe('runInvocation of a configuration with placeholders', () => {
  test('opens the plugin with what they stand for, and leaves them where they are stored', async () => {
    const { plugin, opened } = aGuardedSink();
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: secretsOf({ PASSWORD, COUNT: '7' }) });

    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(opened).toEqual([{ url: `db://me:${PASSWORD}@host`, 'batch.count': 7 }]);
    expect((await readConnector(sink, 'orders-sink'))?.config).toMatchObject(GUARDED);
  });

  test('takes a value for text that looks like a placeholder itself', async () => {
    const { plugin, opened } = aGuardedSink();
    const sink = await aSinkShard({
      plugin,
      values: ['a'],
      config: GUARDED,
      secrets: secretsOf({ PASSWORD: '${env:COUNT}', COUNT: '7' }),
    });

    await sink.run();

    expect(opened).toEqual([{ url: 'db://me:${env:COUNT}@host', 'batch.count': 7 }]);
  });

  test('fails the shard where one is refused or missing, naming each key and placeholder (I10)', async () => {
    const { plugin } = aGuardedSink();
    const config = { ...GUARDED, 'batch.count': '${env:SECRET_COUNT}' };
    const sink = await aSinkShard({ plugin, values: ['a'], config, secrets: secretsOf({}) });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'secret.refused' } });
    expect(run.error?.message).toBe(
      'url: ${env:PASSWORD}: the environment variable PASSWORD is not set; batch.count: ${env:SECRET_COUNT}: the environment variable SECRET_COUNT is not allowed',
    );
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'secret.refused' } });
  });

  test('works by itself once the value is there', async () => {
    const { plugin } = aGuardedSink();
    const variables: Record<string, string> = { COUNT: '7' };
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: secretsOf(variables) });
    const failed = await sink.run();

    variables['PASSWORD'] = PASSWORD;
    await sink.untilClaimable();
    const { run } = await sink.run();

    expect(failed.run.error?.code).toBe('secret.missing');
    expect(run.outcome).toBe('drained');
  });

  test('does not wait for ever for an answer, and works by itself once there is one', async () => {
    const { plugin } = aGuardedSink();
    const away = hanging(secretsOf({ PASSWORD, COUNT: '7' }));
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: away.secrets });
    away.hang();

    const { run, notBeforeMs } = await sink.run();
    const nowMs = sink.host.clock.nowMs();
    const { status } = await sink.cursor();
    away.answer();
    const { run: second } = await sink.run();

    expect(run).toMatchObject({
      outcome: 'failed',
      error: {
        code: 'secret.unavailable',
        message: 'no answer within 5000 ms for url: ${env:PASSWORD}; batch.count: ${env:COUNT}',
      },
    });
    expect(notBeforeMs).toBeGreaterThan(nowMs);
    expect(status.state).toBe('active');
    expect(second.outcome).toBe('drained');
  });

  test.each(['many secrets', '9', ''])('says that a value is wrong, and not what it is: %j', async (value) => {
    const { plugin } = aGuardedSink();
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: secretsOf({ PASSWORD, COUNT: value }) });

    const { run } = await sink.run();

    expect(run.error).toEqual({
      code: 'config.invalid',
      stage: 'poll',
      message: 'batch.count: must be a whole number from 1 to 8, not [hidden] (${env:COUNT})',
    });
  });
});

describe('runInvocation in a warm sandbox, of a configuration with placeholders', () => {
  test('asks again after a minute, and opens anew only where an answer has changed', async () => {
    const { plugin, opened, closed } = aGuardedSink();
    const variables: Record<string, string> = { PASSWORD, COUNT: '7' };
    const asked = counted(secretsOf(variables));
    const sink = await aSinkShard({ plugin, config: GUARDED, secrets: asked.secrets });
    const runWithOne = async (): Promise<void> => {
      await sink.send('a');
      await sink.run();
    };

    await runWithOne();
    variables['COUNT'] = '8';
    await sink.host.clock.sleep(30_000);
    await runWithOne();
    const withinAMinute = [asked.times(), opened.length];
    await sink.host.clock.sleep(30_000);
    await runWithOne();
    const afterAMinute = [asked.times(), opened.length, closed()];
    await sink.host.clock.sleep(60_000);
    await runWithOne();

    expect(withinAMinute).toEqual([1, 1]);
    expect(afterAMinute).toEqual([2, 2, 1]);
    expect([asked.times(), opened.length]).toEqual([3, 2]);
    expect(opened.map((config) => config['batch.count'])).toEqual([7, 8]);
  });

  test('goes on with the values it has where no answer comes, says so, and asks again after a minute', async () => {
    const { plugin, opened } = aGuardedSink();
    const away = hanging(secretsOf({ PASSWORD, COUNT: '7' }));
    const asked = counted(away.secrets);
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: asked.secrets });
    await sink.run();
    await sink.host.clock.sleep(60_000);
    away.hang();

    await sink.send('b');
    const { run: unanswered } = await sink.run();
    await sink.send('c');
    const { run: withinAMinute } = await sink.run();
    const askedMeanwhile = asked.times();
    await sink.host.clock.sleep(60_000);
    await sink.send('d');
    const { run: afterAMinute } = await sink.run();

    expect([unanswered, withinAMinute, afterAMinute].map(({ outcome }) => outcome)).toEqual(['drained', 'drained', 'drained']);
    expect([askedMeanwhile, asked.times()]).toEqual([2, 3]);
    expect(opened.length).toBe(1);
    expect(sink.host.telemetry.logs).toContainEqual({
      level: 'warn',
      message:
        'the connector goes on with the secrets it has: no answer within 5000 ms for url: ${env:PASSWORD}; batch.count: ${env:COUNT}',
      fields: { connector: 'orders-sink', code: 'secret.unavailable' },
    });
  });

  test('does not go on with the values of an earlier configuration', async () => {
    const { plugin } = aGuardedSink();
    const away = hanging(secretsOf({ PASSWORD, COUNT: '7' }));
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: away.secrets });
    await sink.run();
    away.hang();

    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'errors.log.enable': 'true' });
    await sink.send('b');
    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'secret.unavailable' } });
  });

  test('does not go on with a value that is refused or missing by now (I10)', async () => {
    const { plugin } = aGuardedSink();
    let there = secretsOf({ PASSWORD, COUNT: '7' });
    const secrets: Secrets = { resolve: (references) => there.resolve(references) };
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets });
    await sink.run();
    await sink.host.clock.sleep(60_000);

    there = secretsOf({ COUNT: '7' });
    await sink.send('b');
    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'secret.missing' } });
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'secret.missing' } });
  });

  test('asks again at once when the configuration was changed', async () => {
    const { plugin, opened } = aGuardedSink();
    const variables: Record<string, string> = { PASSWORD, COUNT: '7' };
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: secretsOf(variables) });
    await sink.run();

    variables['PASSWORD'] = 'changed';
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'errors.log.enable': 'true' });
    await sink.send('b');
    await sink.run();

    expect(opened.map(({ url }) => url)).toEqual([`db://me:${PASSWORD}@host`, 'db://me:changed@host']);
  });

  test('does not ask for a configuration without placeholders', async () => {
    const { plugin } = aGuardedSink();
    const asked = counted(secretsOf({}));
    const sink = await aSinkShard({
      plugin,
      values: ['a'],
      config: { url: 'db://host', 'batch.count': '1' },
      secrets: asked.secrets,
    });

    await sink.run();

    expect(asked.times()).toBe(0);
  });
});

describe('what an invocation tells', () => {
  test('has no secret in the error of its run, in log lines, or in dead letters', async () => {
    const shownAs = [PASSWORD, JSON.stringify({ url: PASSWORD }), `db://${encodeURIComponent(PASSWORD)}@host`];
    const { plugin } = aGuardedSink({
      put: async ({ records }, { log }) => {
        log('info', `connected with ${PASSWORD}`, {
          url: PASSWORD,
          nested: { password: PASSWORD },
          error: new Error(PASSWORD),
          count: 1n,
        });
        const error = new RecordError(`refused: ${shownAs.join(', ')}`);
        return { failures: records.map((_, index) => ({ index, error })) };
      },
    });
    const tolerant = { 'errors.tolerance': 'all', 'errors.log.enable': 'true', 'errors.deadletterqueue.topic.name': 'refused' };
    const headers = { 'errors.deadletterqueue.context.headers.enable': 'true' };
    const sink = await aSinkShard({
      plugin,
      values: ['a'],
      config: { ...GUARDED, ...tolerant, ...headers },
      secrets: secretsOf({ PASSWORD, COUNT: '7' }),
    });

    await sink.run();

    const [queue] = await sink.log.queues('refused');
    const dead = await sink.log.read(queue as NonNullable<typeof queue>, 0n as never, { records: 1, bytes: 10_000, waitMs: 0 });
    const told = [sink.host.telemetry.logs, dead.records.map((record) => record.headers)].map(textOf).join();
    expect(told).toContain('connected with [hidden]');
    expect(told).toContain('sortie.errors.message');
    expect(secretsIn(told)).toEqual([]);
  });

  test('has no secret that stands in the configuration itself', async () => {
    const { plugin } = aGuardedSink({
      put: async () => {
        throw new RetryableError(`the target refuses ${PASSWORD}`);
      },
    });
    const config = { url: 'db://me@host', 'batch.count': '1', 'access.token': PASSWORD };
    const sink = await aSinkShard({ plugin, values: ['a'], config });

    const { run } = await sink.run();

    expect(run.error?.message).toBe('the target refuses [hidden]');
  });

  test('has no secret in the error that a target answers with', async () => {
    const { plugin } = aGuardedSink({ put: () => Promise.reject(new RetryableError(`${PASSWORD} was not taken`)) });
    const sink = await aSinkShard({ plugin, values: ['a'], config: GUARDED, secrets: secretsOf({ PASSWORD, COUNT: '7' }) });

    const { run, cursor } = await sink.run();

    expect(run.error?.message).toBe('[hidden] was not taken');
    expect(secretsIn(textOf([run, cursor, sink.host.telemetry.runs]))).toEqual([]);
  });
});

describe('configureConnector of a configuration as it is stored', () => {
  test('leaves the assertion to whoever would use what is not resolved yet', async () => {
    const { plugin } = aGuardedSink();
    const sink = await aSinkShard({ plugin, config: GUARDED });

    const configured = await configureConnector(sink.host.registry, parseConnectorConfig(sink.connector.config));

    expect(configured.sink?.effect).toBe('append');
    expect(() => configured.sink?.open({} as PluginContext)).toThrow('an invocation resolves placeholders');
  });
});

const Config = z
  .object({
    url: textKey().describe('Where it is.'),
    'batch.count': intKey({ min: 1, max: 8 }).describe('So many.'),
    'access.token': passwordKey().optional().describe('What opens it.'),
  })
  .superRefine((config, context) => {
    if (!config.url.startsWith('db:')) context.addIssue({ code: 'custom', path: ['url'], message: 'must begin with db:' });
  });

const GUARDED = { url: 'db://me:${env:PASSWORD}@host', 'batch.count': '${env:COUNT}' };

type GuardedConfig = z.output<typeof Config>;

function aGuardedSink({
  put = async () => ALL_TAKEN,
}: {
  readonly put?: (batch: PutBatch, context: PluginContext) => Promise<PutResult>;
} = {}) {
  const opened: GuardedConfig[] = [];
  let closed = 0;
  const plugin = defineSink({
    name: 'guarded',
    version: '1.0.0',
    effect: 'append',
    reads: 'values',
    config: Config,
    async open(config, context) {
      opened.push(config);
      return {
        put: (batch) => put(batch, context),
        flush: async () => undefined,
        close: async () => {
          closed += 1;
        },
      };
    },
  });
  return { plugin, opened, closed: () => closed };
}

/** As many as are there when it is asked. */
function secretsOf(variables: Record<string, string>): Secrets {
  return new LocalSecrets({ ...NO_SECRETS, env: ['PASSWORD', 'COUNT'], variables });
}

function counted(secrets: Secrets): { readonly secrets: Secrets; times(): number } {
  let times = 0;
  return {
    times: () => times,
    secrets: {
      resolve: (references) => {
        times += 1;
        return secrets.resolve(references);
      },
    },
  };
}

/** A folder that some network lends, and does not answer for between `hang` and `answer`. */
function hanging(secrets: Secrets): { readonly secrets: Secrets; hang(): void; answer(): void } {
  let hangs = false;
  return {
    hang: () => {
      hangs = true;
    },
    answer: () => {
      hangs = false;
    },
    secrets: { resolve: (references) => (hangs ? new Promise(() => undefined) : secrets.resolve(references)) },
  };
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
}

/** Whatever of the value can be read in a text. */
function secretsIn(text: string): readonly string[] {
  return ['hunter2', 'quoted'].filter((part) => text.includes(part));
}
