/**
 * Does something with each item, so many at once, for as long as `goesOn` holds; what has not begun by then is left. The first
 * failure is thrown once all that began have ended. A lane ends with it, so that where everything fails few are tried: whoever
 * comes again begins with those that were left.
 */
export async function sideBySide<Item>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<void>,
  goesOn: () => boolean = () => true,
): Promise<void> {
  const next = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    while (goesOn()) {
      const item = next.next();
      if (item.done === true) return;
      await act(item.value);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
