/** Bytes as base64, by whatever the platform is fastest at. */
import { ShapeError } from '../../core/record/shape-error.ts';

/** The part of Node's `Buffer` that is used here. */
export interface NodeBuffer {
  from(text: string, encoding: 'base64'): Uint8Array;
  from(buffer: ArrayBufferLike, offset: number, length: number): { toString(encoding: 'base64'): string };
}

export interface Base64 {
  readonly encode: (bytes: Uint8Array) => string;
  /** @throws {ShapeError} for what is not base64 with its padding. */
  readonly decode: (text: string) => Uint8Array;
}

/** With `Buffer` where there is one (Node, and Workers in Node mode), else with `btoa` and `atob`, which every platform has. */
export const base64 = base64With((globalThis as { readonly Buffer?: NodeBuffer }).Buffer);

export function base64With(buffer: NodeBuffer | undefined): Base64 {
  return {
    encode:
      buffer === undefined
        ? encodeByCharacters
        : (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    decode: strict(buffer === undefined ? decodeByCharacters : (text) => plain(buffer.from(text, 'base64'))),
  };
}

/** Decoders skip or stop at what they do not know, so that any such character makes the result too short. */
function strict(decode: (text: string) => Uint8Array): (text: string) => Uint8Array {
  return (text) => {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    const bytes = decode(text);
    // `-` and `_` are the digits of another alphabet, which `Buffer` reads as well.
    if (bytes.length !== (text.length / 4) * 3 - padding || text.includes('-') || text.includes('_')) {
      throw new ShapeError('the text is not base64');
    }
    return bytes;
  };
}

/** A `Buffer` is a `Uint8Array` whose `slice` shares memory. Values are the plain kind. */
function plain({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function encodeByCharacters(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function decodeByCharacters(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new ShapeError('the text is not base64');
  }
}
