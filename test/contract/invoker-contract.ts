/** What every `Invoker` does. A new implementation is one more call of `invokerContract`. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../../adapters/data-folder.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { contractSuite, type Skip } from './cases.ts';
import { crashes } from './invoker/crashes.ts';
import { ends } from './invoker/ends.ts';
import { hosts } from './invoker/hosts.ts';
import { InvokerUnderTest, type NewInvoker } from './invoker/invoker-under-test.ts';
import { processes } from './invoker/processes.ts';
import { silence } from './invoker/silence.ts';

interface InvokerContract {
  readonly name: string;
  readonly newInvoker: NewInvoker;
  /** `hosts`: it runs invocations in threads or processes that it starts; `processes`: a signal ends one of them alone. */
  readonly abilities?: { readonly hosts?: true; readonly processes?: true };
  readonly skip?: readonly Skip[];
}

export function invokerContract({ name, newInvoker, abilities = {}, skip }: InvokerContract): void {
  contractSuite<InvokerUnderTest>({
    title: name,
    skip,
    // A start takes a quarter of a second, and many times that on a machine that does a lot else.
    timeoutMs: 60_000,
    async start() {
      const dataFolder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
      const world = { clock: systemClock, random: systemRandom, telemetry: new MemoryTelemetry() };
      return new InvokerUnderTest({ dataFolder, folder: await openDataFolder(dataFolder, world) }, newInvoker, abilities);
    },
    groups: { ends, hosts, 'crashes and stuck invocations': crashes, 'silent hosts': silence, processes },
  });
}
