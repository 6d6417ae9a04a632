/** Keys of the query cache. The namespace is part of each, so that one tenant's answers are never shown as another's. */
import { connection } from './connection';

export function key(...parts: unknown[]): unknown[] {
  return [connection.get().namespace ?? '', ...parts];
}
