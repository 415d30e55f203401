/** The body of an answer, as far as anybody needs it. */

export interface AnswerText {
  readonly text: string;
  /** `false`: it goes on, and what follows was not waited for. */
  readonly isWhole: boolean;
}

/**
 * Reads to the end, for only then the connection can be used again, or up to `bytesMax`, so that an endless answer neither fills
 * memory nor holds up anybody.
 *
 * @throws whatever broke the answer off.
 */
export async function readAnswer({ body }: Response, { bytesMax }: { readonly bytesMax: number }): Promise<AnswerText> {
  if (body === null) return { text: '', isWhole: true };
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isWhole: true };
    bytes += value.length;
    if (bytes > bytesMax) {
      // Nobody waits for the end of a connection that is thrown away.
      reader.cancel().catch(() => undefined);
      return { text, isWhole: false };
    }
    text += decoder.decode(value, { stream: true });
  }
}
