import { errorCodes } from '../../core/error-codes.ts';
import { allPlugins } from '../../plugins/registry.ts';
import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import { workerSettingsPage } from './worker-settings-page.ts';

/** Every page that is made from the code: its path in the repository, and what it says. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/configuration.md', configurationPage(await allPlugins())],
    ['docs/errors.md', errorsPage(errorCodes)],
    ['docs/metrics.md', metricsPage()],
    ['docs/worker-settings.md', workerSettingsPage()],
  ]);
}
