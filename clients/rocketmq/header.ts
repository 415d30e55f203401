/**
 * Frames of the remoting protocol: 4 bytes of length, 4 of the header's kind and length, header, body.
 *
 *     int32 bytes that follow | uint8 kind, uint24 bytes of the header | header | body
 *
 * Requests carry JSON headers, which every server reads and which alone hold all request codes. An answer is in the kind that
 * the server prefers, whatever the request was: both are read.
 */
import type { Fields, Response } from './command.ts';

const KIND_JSON = 0;
const KIND_BINARY = 1;

const FLAG_RESPONSE = 1;

/**
 * `MQVersion.V5_1_0`. From 401 on routes come as standard JSON; from 476 on a server that shuts down would answer GO_AWAY instead of
 * what it does for all older clients.
 */
const VERSION = 433;

const LENGTH_BYTES = 4;
const PREFIX_BYTES = 8;

export interface RequestHeader {
  readonly code: number;
  readonly opaque: number;
  readonly fields: Fields;
}

/** Up to and with the header; the body goes behind it as it is. */
export function encodeRequestHead({ code, opaque, fields }: RequestHeader, bodyBytes: number): Buffer {
  const header = JSON.stringify({ code, language: 'NODE_JS', version: VERSION, opaque, flag: 0, extFields: fields });
  const headerBytes = Buffer.byteLength(header);
  const head = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes);
  head.writeInt32BE(PREFIX_BYTES - LENGTH_BYTES + headerBytes + bodyBytes, 0);
  head.writeUInt32BE(headerBytes, LENGTH_BYTES);
  head.write(header, PREFIX_BYTES);
  return head;
}

export interface IncomingFrame extends Response {
  readonly opaque: number;
  /** `false`: the server asks for something, which this client never offered to answer. */
  readonly isResponse: boolean;
}

/** @throws {Error} when the bytes are no frame of this protocol. `frame` is what follows the length. */
export function decodeFrame(frame: Buffer): IncomingFrame {
  const kind = frame.readUInt8(0);
  const bodyAt = LENGTH_BYTES + frame.readUIntBE(1, 3);
  if (bodyAt > frame.length) throw new Error('a header that is longer than its frame');
  const header = frame.subarray(LENGTH_BYTES, bodyAt);
  const body = frame.subarray(bodyAt);
  if (kind === KIND_JSON) return { ...jsonHeader(header), body };
  if (kind === KIND_BINARY) return { ...binaryHeader(header), body };
  throw new Error(`a header of kind ${kind}`);
}

interface JsonHeader {
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark?: string | null;
  readonly extFields?: Fields | null;
}

function jsonHeader(header: Buffer): Omit<IncomingFrame, 'body'> {
  const { code, opaque, flag, remark, extFields } = JSON.parse(header.toString()) as JsonHeader;
  return { code, opaque, isResponse: isResponse(flag), remark: remark ?? null, fields: extFields ?? {} };
}

/** int16 code, int8 language, int16 version, int32 opaque, int32 flag, int32 and remark, int32 and fields. */
function binaryHeader(header: Buffer): Omit<IncomingFrame, 'body'> {
  const remarkBytes = header.readInt32BE(13);
  const fieldsAt = 17 + remarkBytes + 4;
  return {
    code: header.readInt16BE(0),
    opaque: header.readInt32BE(5),
    isResponse: isResponse(header.readInt32BE(9)),
    remark: remarkBytes === 0 ? null : header.toString('utf8', 17, 17 + remarkBytes),
    fields: binaryFields(header.subarray(fieldsAt, fieldsAt + header.readInt32BE(fieldsAt - 4))),
  };
}

/** Repeated: int16 and name, int32 and value. */
function binaryFields(bytes: Buffer): Fields {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const nameAt = at + 2;
    const valueAt = nameAt + bytes.readInt16BE(at) + 4;
    const endAt = valueAt + bytes.readInt32BE(valueAt - 4);
    fields[bytes.toString('utf8', nameAt, valueAt - 4)] = bytes.toString('utf8', valueAt, endAt);
    at = endAt;
  }
  return fields;
}

function isResponse(flag: number): boolean {
  return (flag & FLAG_RESPONSE) !== 0;
}
