/** Plants one bug in the code that this thread loads from now on. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { PlantedBug } from './planted-bugs.ts';

const ROOT = new URL('../../../', import.meta.url);

export function plant({ name, file, edits }: PlantedBug): void {
  const target = new URL(file, ROOT).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      return {
        ...loaded,
        source: edits.reduce((source, edit) => edited(source, edit, { name, path: fileURLToPath(url) }), String(loaded.source)),
      };
    },
  });
}

function edited(
  source: string,
  { find, replace }: PlantedBug['edits'][number],
  at: { readonly name: string; readonly path: string },
): string {
  if (!source.includes(find)) throw new Error(`planted bug "${at.name}": ${JSON.stringify(find)} is not in ${at.path} any more`);
  return source.replaceAll(find, () => replace);
}
