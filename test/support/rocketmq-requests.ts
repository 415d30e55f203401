import { FrameReader } from '../../clients/rocketmq/frame-reader.ts';
import { decodeFrame, type IncomingFrame } from '../../clients/rocketmq/header.ts';
import { type Listener, TcpProxy } from './tcp-proxy.ts';

export type HeardRequest = Pick<IncomingFrame, 'code' | 'fields'>;

export type HeardAnswer = Pick<IncomingFrame, 'code' | 'remark'>;

/** Stands before a server of RocketMQ's until the test ends. `requests`: what was asked, in order; `answers`: what came back. */
export async function listenBefore(target: string): Promise<{
  readonly address: string;
  readonly requests: readonly HeardRequest[];
  readonly answers: readonly HeardAnswer[];
}> {
  const requests: HeardRequest[] = [];
  const answers: HeardAnswer[] = [];
  const listen = (): Listener => ({ asked: into(requests), answered: into(answers) });
  const { address } = await TcpProxy.start({ target, listen });
  return { address, requests, answers };
}

function into(frames: { push(frame: IncomingFrame): unknown }): (bytes: Buffer) => void {
  const reader = new FrameReader((frame) => void frames.push(decodeFrame(frame)));
  return (bytes) => reader.push(Buffer.from(bytes));
}
