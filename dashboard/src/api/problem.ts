/** What the host answers when it refuses something (RFC 9457), and what is thrown when it cannot be reached. */

export interface FieldError {
  pointer: string;
  detail: string;
}

export class ApiProblem extends Error {
  override name = 'ApiProblem';
  constructor(
    readonly status: number,
    /** The last part of the problem's `type`, such as `invalid-request`. */
    readonly kind: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: FieldError[],
    /** The whole answer: a conflict carries the newest version in it. */
    readonly body: Record<string, unknown>,
  ) {
    super(detail || title);
  }

  /** The message for a field, by JSON pointer; also for pointers below it. */
  at(pointer: string): string | undefined {
    return this.errors.find((e) => e.pointer === pointer || e.pointer.startsWith(`${pointer}/`))
      ?.detail;
  }

  /** As a form sees it whose fields stand below this pointer in what was sent. */
  below(prefix: string): ApiProblem {
    const errors = this.errors.map(({ pointer, detail }) => ({
      pointer: pointer.startsWith(`${prefix}/`) ? pointer.slice(prefix.length) : pointer,
      detail,
    }));
    return new ApiProblem(this.status, this.kind, this.title, this.detail, errors, this.body);
  }
}

/** The kind of the problem when page and cookie are of two sessions. */
export const OTHER_SESSION = 'not-from-own-page';

export class Unreachable extends Error {
  override name = 'Unreachable';
  constructor() {
    super('The server does not answer.');
  }
}

/** Reads an answer that is not a success. A proxy in between may answer with anything at all. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const fields: Record<string, unknown> =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const text = (key: string) => (typeof fields[key] === 'string' ? fields[key] : '');
  const errors = Array.isArray(fields.errors) ? fields.errors.filter(isFieldError) : [];
  const title = text('title') || `The server answered ${status}`;
  return new ApiProblem(
    status,
    text('type').split('/').pop() ?? '',
    title,
    text('detail'),
    errors,
    fields,
  );
}

function isFieldError(value: unknown): value is FieldError {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as FieldError).pointer === 'string' &&
    typeof (value as FieldError).detail === 'string'
  );
}

/** Whether what was asked for is not there, or not any more. */
export const isGone = (error: unknown) => error instanceof ApiProblem && error.status === 404;

/** One sentence for people, of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiProblem && error.kind === OTHER_SESSION)
    return 'Somebody has signed in anew in another tab. This page has taken note of it; try once more.';
  if (error instanceof ApiProblem) return error.detail || error.title;
  if (error instanceof Unreachable) return error.message;
  return error instanceof Error ? error.message : 'Something went wrong that has no name.';
}
