/** `sortie apply`: makes connectors what files say. */
import process from 'node:process';
import { ApiClient } from '../api-client.ts';
import { readConnectorFiles } from '../connector-files.ts';

/** Every file is read before the first is applied, so that a wrong one changes nothing. */
export async function apply({
  file,
  url,
  json,
}: {
  readonly file: string;
  readonly url: string;
  readonly json: boolean;
}): Promise<void> {
  const connectors = readConnectorFiles(file);
  const client = new ApiClient(url);
  const applied: { readonly name: string; readonly result: 'created' | 'configured' }[] = [];
  for (const { name, config } of connectors) {
    const { status } = await client.put(`/connectors/${encodeURIComponent(name)}/config`, config);
    const result = status === 201 ? 'created' : 'configured';
    applied.push({ name, result });
    if (!json) process.stdout.write(`${name}: ${result}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ applied })}\n`);
}
