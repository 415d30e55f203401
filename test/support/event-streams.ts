/** Reads server-sent events of the API. */
export interface StreamedEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export class EventStream {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = '';

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next one, heartbeats left out; `null`: the stream has ended. */
  async next(): Promise<StreamedEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const data = block.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) return JSON.parse(data.slice('data: '.length)) as StreamedEvent;
        continue;
      }
      const { value, done } = await this.#reader.read();
      if (done) return null;
      this.#text += value;
    }
  }

  /** Up to and with the first one that fits. */
  async until(fits: (event: StreamedEvent) => boolean): Promise<readonly StreamedEvent[]> {
    const events: StreamedEvent[] = [];
    for (;;) {
      const event = await this.next();
      if (event === null) throw new Error(`the stream ended after ${JSON.stringify(events)}`);
      events.push(event);
      if (fits(event)) return events;
    }
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}
