import type { z } from "zod";

/** One route of /v1. The table of all of them is {@link file://./routes.ts}; HTTP, OpenAPI and the SDK are drawn from it. */
export type Route = {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Fastify's form: `/v1/calls/:id`. */
  readonly path: string;
  readonly summary: string;
  /** The least role that may use it. */
  readonly role: "viewer" | "member" | "admin" | "owner";
  /** True: an embed token may use it as well, and the handler shows of the tenant only what is of that end-customer. */
  readonly isEmbeddable?: boolean;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Instead of `body`: a file with a JSON object on each line (`application/x-ndjson`), read as it comes. Describes a line. */
  readonly bodyLines?: z.ZodType;
  /** True: the `traceparent` of a request goes on in what is sent because of it. */
  readonly isTraced?: boolean;
  /** The largest body in bytes; default 1,000,000. Larger is 413. */
  readonly bodyBytesMax?: number;
  readonly output: z.ZodType;
  /**
   * How a success is written; default JSON. `application/x-ndjson`: `output` on each line, written as it is read; any other is a
   * text.
   */
  readonly media?: "text/csv" | "text/plain" | "text/vtt" | "application/x-subrip" | "application/x-ndjson";
  /** Status of a success; default 200. */
  readonly status?: number;
  /**
   * True: what it is about can be in a state that forbids it, which is 409. Of a POST nobody has to say so: its Idempotency-Key
   * can be in use.
   */
  readonly canConflict?: boolean;
};

/** Whether a request may come without a body: a POST of which nothing is required. A PATCH without one is a mistake. */
export function needsNoBody({ method, body }: Pick<Route, "method" | "body">): boolean {
  return method === "POST" && body?.safeParse({}).success === true;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Who asks. The tenant comes from the credential, never from the request. */
export type Actor = {
  readonly kind: "api_key" | "user" | "embed" | "system";
  /** Of an embed token: the key or user that made it. */
  readonly id: string;
  readonly role: Route["role"];
  /** What a key may be used for (`calls:read`, `*:read`); absent: all that its role may. */
  readonly scopes?: readonly string[];
  /** Of an embed token: the one end-customer of the tenant whose calls and campaigns it may see. */
  readonly businessId?: string;
  /** Of a key: the shape of /v1 that it was made with. */
  readonly apiVersion?: string;
  /** From where the request came, for the audit log; and the trace it belongs to. */
  readonly from?: { readonly address: string; readonly requestId: string; readonly traceparent?: string };
};

export type RouteRequest<R extends Route> = {
  readonly tenant: string;
  readonly actor: Actor;
  readonly params: Parsed<R["params"]>;
  readonly query: Parsed<R["query"]>;
  readonly body: R["bodyLines"] extends z.ZodType ? AsyncIterable<Uint8Array> : Parsed<R["body"]>;
  /**
   * Called by a PATCH with what it is about to change, as GET shows it and locked against others: refuses with 412 when the
   * request's `If-Match` was written against something else.
   */
  readonly ifMatch?: (current: z.input<R["output"]>) => void;
};

/** What a handler gives: the output, or one after the other. A line's `cursor` is a position, and sealed when it leaves. */
type Given<R extends Route> = R["media"] extends "application/x-ndjson"
  ? AsyncIterable<z.input<R["output"]>>
  : z.input<R["output"]>;

export type Handler<R extends Route> = (request: RouteRequest<R>) => Promise<Given<R>>;
export type Handlers<Table extends Record<string, Route>> = { readonly [Name in keyof Table]: Handler<Table[Name]> };
