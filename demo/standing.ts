/** Where the shards of connectors stand, for whoever wants to know why something is missing. */
const CONNECTORS = ['shop-cdc', 'shop-replica', 'shop-archive'];

interface ShardAnswer {
  readonly shard: string;
  readonly [field: string]: unknown;
}

/** A line for each shard that is not done, or that somebody holds, as the API tells it. */
export async function standing(url: string): Promise<readonly string[]> {
  const lines = await Promise.all(CONNECTORS.map((connector) => ofConnector(`${url}/sortie/v1/connectors/${connector}`)));
  return lines.flat();
}

async function ofConnector(url: string): Promise<readonly string[]> {
  const [shards, reasons] = await Promise.all([shardsAt(`${url}/shards`), shardsAt(`${url}/why`)]);
  return shards
    .map((shard) => ({ ...shard, ...reasons.find((reason) => reason.shard === shard.shard) }) as ShardAnswer)
    .filter(({ reason, held }) => reason !== 'drained' || (Array.isArray(held) && held.length > 0))
    .map((shard) => JSON.stringify(shard));
}

async function shardsAt(url: string): Promise<readonly ShardAnswer[]> {
  const { shards } = (await (await fetch(url)).json()) as { readonly shards: readonly ShardAnswer[] };
  return shards;
}
