/** Throws the first `times` times it is called. */
export function throwing(error: Error, times = Number.POSITIVE_INFINITY): () => Promise<void> {
  let calls = 0;
  return () => {
    calls += 1;
    return calls <= times ? Promise.reject(error) : Promise.resolve();
  };
}
