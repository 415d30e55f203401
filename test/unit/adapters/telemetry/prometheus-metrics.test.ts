import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrometheusMetrics } from '../../../../adapters/telemetry/prometheus-metrics.ts';
import type { Scrape } from '../../../../core/metrics/table.ts';
import { type Exposition, parseExposition } from '../../../support/exposition.ts';

const NOTHING: Scrape = () => [];

async function scraped(metrics: PrometheusMetrics, scrape = NOTHING): Promise<Exposition> {
  let text = '';
  for await (const part of await metrics.text(() => scrape)) text += part;
  return parseExposition(text);
}

describe('PrometheusMetrics', () => {
  test('shows what was told before anybody looked, and after', async () => {
    const metrics = new PrometheusMetrics();
    metrics.count('sortie_offers_total', { connector: 'orders' });
    const before = await scraped(metrics);

    metrics.count('sortie_offers_total', { connector: 'orders' }, 2);
    metrics.observe('sortie_invocation_seconds', { connector: 'orders' }, 0.3);
    const after = await scraped(metrics);

    expect(before.value('sortie_offers_total', { connector: 'orders' })).toBe(1);
    expect(after.value('sortie_offers_total', { connector: 'orders' })).toBe(3);
    expect(after.value('sortie_invocation_seconds_bucket', { connector: 'orders', le: '0.25' })).toBe(0);
    expect(after.value('sortie_invocation_seconds_bucket', { connector: 'orders', le: '0.5' })).toBe(1);
    expect(after.value('sortie_invocation_seconds_count', { connector: 'orders' })).toBe(1);
  });

  test('loses nothing of many things told before it is loaded', async () => {
    const metrics = new PrometheusMetrics();
    for (let told = 0; told < 2_500; told += 1) metrics.count('sortie_offers_total', { connector: 'orders' });

    expect((await scraped(metrics)).value('sortie_offers_total')).toBe(2_500);
  });

  test('shows values as they are now, and no longer than they are', async () => {
    const metrics = new PrometheusMetrics();
    const scrape: Scrape = (name) => (name === 'sortie_backlog_records' ? [{ labels: { connector: 'orders' }, value: 7 }] : []);

    const first = await scraped(metrics, scrape);
    const second = await scraped(metrics);

    expect([first.value('sortie_backlog_records'), second.value('sortie_backlog_records')]).toEqual([7, undefined]);
  });

  test('forgets every series of a connector, and of no other', async () => {
    const metrics = new PrometheusMetrics();
    for (const connector of ['orders', 'bills']) {
      metrics.count('sortie_offers_total', { connector });
      metrics.count('sortie_offers_ended_total', { connector, end: 'completed' });
      metrics.observe('sortie_invocation_seconds', { connector }, 1);
      metrics.event(connector, 'reconnects');
    }

    metrics.forget('orders');
    metrics.event('orders', 'reconnects');

    const { lines } = await scraped(metrics);
    expect(new Set(lines.map(({ labels }) => labels['connector']))).toEqual(new Set(['bills']));
  });

  test('counts events of a plugin by name, a handful of them', async () => {
    const metrics = new PrometheusMetrics();
    metrics.count('sortie_offers_total', { connector: 'orders' });
    for (let event = 0; event < 30; event += 1) metrics.event('orders', `event-${event}`, 2);

    const { value, lines } = await scraped(metrics);

    expect(value('sortie_plugin_events_total', { event: 'event-19' })).toBe(2);
    expect(value('sortie_plugin_events_total', { event: 'other' })).toBe(20);
    expect(lines.filter(({ name }) => name === 'sortie_plugin_events_total')).toHaveLength(21);
  });

  test('shows any name of a connector so that it can be read again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (connector) => {
        const metrics = new PrometheusMetrics();
        metrics.count('sortie_offers_total', { connector });

        expect((await scraped(metrics)).value('sortie_offers_total', { connector })).toBe(1);
      }),
    );
  });
});
