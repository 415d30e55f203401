import { FrameReader } from '../../clients/rocketmq/frame-reader.ts';
import { decodeFrame, type IncomingFrame } from '../../clients/rocketmq/header.ts';
import { TcpProxy } from './tcp-proxy.ts';

export type HeardRequest = Pick<IncomingFrame, 'code' | 'fields'>;

/** Stands before a server of RocketMQ's until the test ends. `requests`: what was asked, in order. */
export async function listenBefore(
  target: string,
): Promise<{ readonly address: string; readonly requests: readonly HeardRequest[] }> {
  const requests: HeardRequest[] = [];
  const listen = () => {
    const frames = new FrameReader((frame) => requests.push(decodeFrame(frame)));
    return (bytes: Buffer) => frames.push(Buffer.from(bytes));
  };
  const { address } = await TcpProxy.start({ target, listen });
  return { address, requests };
}
