/** Plants one bug in the code that this thread loads from now on. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { PlantedBug } from './planted-bugs.ts';

const ROOT = new URL('../../../', import.meta.url);

export function plant({ name, file, find, replace }: PlantedBug): void {
  const target = new URL(file, ROOT).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const source = String(loaded.source);
      if (!source.includes(find)) throw new Error(`planted bug "${name}": its text is not in ${fileURLToPath(url)} any more`);
      return { ...loaded, source: source.replace(find, () => replace) };
    },
  });
}
