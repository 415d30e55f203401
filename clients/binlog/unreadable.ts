/** Something in the binary log that would be lost if reading went on: named, with what to do about it. */
export class UnreadableBinlog extends Error {
  override readonly name = 'UnreadableBinlog';
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}
