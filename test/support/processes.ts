import { readdirSync, readFileSync } from 'node:fs';

/** Those whose command line has the text in it, as Linux tells. */
export function processesNaming(text: string): readonly number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => commandLineOf(id).includes(text)).map(Number);
}

/** Empty for one that has ended. */
function commandLineOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
