/**
 * Errors that a caller can act on. `message` is for people and may be shown; `code` is for programs; `cause` is for us.
 * Anything that is not an AppError is a bug, and is answered as one.
 */
export class AppError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  /** The thing that is there already, as the API shows it, where that is the reason. */
  readonly existing: object | null;
  constructor(
    status: number,
    code: string,
    message: string,
    options: { cause?: unknown; errors?: readonly FieldError[]; existing?: object } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.status = status;
    this.code = code;
    this.errors = options.errors ?? [];
    this.existing = options.existing ?? null;
  }
}

/** A field that was refused: JSON pointer and what to do about it. */
export type FieldError = { readonly pointer: string; readonly detail: string };

/** The thing does not exist, or belongs to somebody else: callers cannot tell which. */
export class NotFound extends AppError {
  constructor(what: string) {
    super(404, "not_found", `${what} not found`);
  }
}
export class Unauthorized extends AppError {
  constructor(message = "Missing or invalid credentials") {
    super(401, "unauthorized", message);
  }
}
export class Forbidden extends AppError {
  constructor(message: string) {
    super(403, "forbidden", message);
  }
}
/** The request can never be understood as it is. */
export class Malformed extends AppError {
  constructor(message: string, code = "malformed") {
    super(400, code, message);
  }
}
/** The request is well formed and its content is refused; names the fields. */
export class Invalid extends AppError {
  constructor(message: string, errors: readonly FieldError[]) {
    super(422, "invalid", message, { errors });
  }
}
/** Somebody else was faster, or the state does not allow it. */
export class Conflict extends AppError {
  constructor(message: string) {
    super(409, "conflict", message);
  }
}
/** What was said of an erased call is gone, and nothing is taken in about it again. */
export class CallErased extends AppError {
  constructor(errors: readonly FieldError[] = []) {
    super(409, "call_erased", "The call was erased: nothing can be said about it any more", { errors });
  }
}
/** The thing is not what the caller read any more. */
export class PreconditionFailed extends AppError {
  constructor() {
    super(412, "precondition_failed", "It was changed since you read it; read it again, then decide");
  }
}
export class TooMany extends AppError {
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(429, "too_many_requests", message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
/** Our own failure that passes: the caller should come again. */
export class Unavailable extends AppError {
  readonly retryAfterSeconds = 5;
  constructor(message: string, cause?: unknown) {
    super(503, "unavailable", message, { cause });
  }
}

/** The message of anything thrown, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
