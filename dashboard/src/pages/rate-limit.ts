/** The rate limit that a form writes. */
import type { RateLimit } from '@/api/types';

interface Written {
  /** Empty: none. */
  perMinute: string;
  /** As it was before: the forms have no field for it. */
  burst: number | null;
}

export function rateLimitOf({ perMinute, burst }: Written): RateLimit | null {
  if (perMinute === '') return null;
  return { per_minute: Number(perMinute), ...(burst === null ? {} : { burst }) };
}
