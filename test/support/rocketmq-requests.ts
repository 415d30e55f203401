import { FrameReader } from '../../clients/rocketmq/frame-reader.ts';
import { decodeFrame } from '../../clients/rocketmq/header.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Stands before a server of RocketMQ's until the test ends. `codes`: of what was asked, in order. */
export async function listenBefore(target: string): Promise<{ readonly address: string; readonly codes: readonly number[] }> {
  const codes: number[] = [];
  const listen = () => {
    const frames = new FrameReader((frame) => codes.push(decodeFrame(frame).code));
    return (bytes: Buffer) => frames.push(Buffer.from(bytes));
  };
  const { address } = await TcpProxy.start({ target, listen });
  return { address, codes };
}
