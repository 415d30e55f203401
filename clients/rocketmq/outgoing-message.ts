/** Messages on their way to a broker, and the batches in which they go: one request for many, appended together. */

export interface OutgoingMessage {
  readonly body: Uint8Array;
  /** As `properties.ts` writes them; keep it below `PROPERTIES_BYTES_MAX`. */
  readonly properties: string;
  readonly propertiesBytes: number;
}

export function outgoingMessage(body: Uint8Array, properties: string): OutgoingMessage {
  return { body, properties, propertiesBytes: Buffer.byteLength(properties) };
}

/** The broker's own limit is 32,767 bytes, and it adds some of its own: where it comes from, its cluster. */
export const PROPERTIES_BYTES_MAX = 31 * 1024;

/** Before the body: lengths, and what the broker does not look at. */
const PREFIX_BYTES = 20;
const PROPERTIES_PREFIX_BYTES = 2;

/** What the message takes of a batch. */
export function messageBytes({ body, propertiesBytes }: OutgoingMessage): number {
  return PREFIX_BYTES + body.length + PROPERTIES_PREFIX_BYTES + propertiesBytes;
}

/**
 * int32 bytes in all, int32 magic, int32 crc, int32 flag: all three 0; int32 and body, int16 and properties; and the next.
 *
 * `bytes`: the sum of `messageBytes`.
 */
export function encodeBatch(messages: readonly OutgoingMessage[], bytes: number): Buffer {
  const batch = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { body, properties, propertiesBytes } of messages) {
    const propertiesAt = at + PREFIX_BYTES + body.length + PROPERTIES_PREFIX_BYTES;
    const end = propertiesAt + propertiesBytes;
    batch.writeInt32BE(end - at, at);
    batch.writeInt32BE(0, at + 4);
    batch.writeInt32BE(0, at + 8);
    batch.writeInt32BE(0, at + 12);
    batch.writeInt32BE(body.length, at + 16);
    batch.set(body, at + PREFIX_BYTES);
    batch.writeInt16BE(propertiesBytes, propertiesAt - PROPERTIES_PREFIX_BYTES);
    batch.write(properties, propertiesAt, propertiesBytes === properties.length ? 'latin1' : 'utf8');
    at = end;
  }
  return batch;
}
