/** Says where a page comes from, to whoever is about to edit it. */
export function generatedFrom(sources: string): string {
  return `<!-- Made from ${sources} by \`npm run docs\`. Change the source, not this page. -->`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** A page of paragraphs, lists, tables and headings, one blank line between. */
export function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
