/** What a connector may be called: anything that a path can name, so that what was created can also be deleted. */
import { ApiError } from './api-error.ts';

/** A key of the store: DynamoDB takes 1,024 bytes, and a character may take four. */
const NAME_CHARACTERS_MAX = 255;

/** @throws {ApiError} 400 */
export function demandName(name: string): void {
  const fault = faultOf(name);
  if (fault !== null) throw new ApiError(400, `name: ${fault}`);
}

function faultOf(name: string): string | null {
  if (name.trim() === '') return 'must not be empty';
  if (name.length > NAME_CHARACTERS_MAX) return `must have at most ${NAME_CHARACTERS_MAX} characters, not ${name.length}`;
  if (/\p{Cc}/u.test(name)) return 'must not have control characters';
  if (/\p{Cs}/u.test(name)) return 'must not have half of a surrogate pair';
  // In a path these stand for a folder, also when they are encoded.
  if (name === '.' || name === '..') return `must not be ${name}`;
  return null;
}
