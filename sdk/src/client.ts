import { type Connection, connectionOf, type ConnectionOptions } from "./connection.ts";
import type { RouteName, Routes } from "./contract.ts";
import { routes } from "./routes.ts";
import { type RequestOptions, send } from "./send.ts";

/**
 * A client of /v1 with one method for each route: the ids of its path, then its body or query, then options.
 *
 * ```ts
 * const aftercall = createClient({ baseUrl: "https://calls.example.com", token: process.env.AFTERCALL_API_KEY });
 * const call = await aftercall.getCall("call_06f4yvh7k8e5m2q9s3t6w0x1za");
 * const { data } = await aftercall.listCalls({ status: ["ended"], limit: 50 });
 * await aftercall.updateEndpoint("ep_01m7z915nee00af3gjwdrye1p9", { types: ["call.completed"] });
 * ```
 * Every method throws {@link AftercallError} when the request is refused or not answered.
 */
export function createClient(options: ConnectionOptions): Client {
  const connection = connectionOf(options);
  const methods = Object.entries(routes).map(([name, route]) => [name, methodOf(connection, route)]);
  // The table has every route of the type, and a method does what its route says: the tests compare both with the contract.
  return { ...(Object.fromEntries(methods) as Methods), connection };
}

export type Client = Methods & {
  /** Where the server is and how it is spoken to, for `openStream` and `getCallOutcome`. */
  readonly connection: Connection;
};

export type Methods = { readonly [Name in RouteName]: Method<Routes[Name]> };

/** What a route takes: its body, else its query. */
export type InputOf<Name extends RouteName> = Taken<Routes[Name]>;
export type OutputOf<Name extends RouteName> = Routes[Name]["output"];

type Method<R extends Routes[RouteName]> = (
  ...args: [...ids: IdsIn<R["path"]>, ...input: InputArgument<Taken<R>>, options?: RequestOptions]
) => Promise<R["output"]>;

type IdsIn<Path extends string> = Path extends `${string}/:${string}/${infer Rest}`
  ? [id: string, ...IdsIn<`/${Rest}`>]
  : Path extends `${string}/:${string}`
    ? [id: string]
    : [];
type Taken<R extends { readonly body: unknown; readonly query: unknown }> = R["body"] extends undefined
  ? R["query"]
  : R["body"];
type InputArgument<T> = [T] extends [undefined] ? [] : Record<string, never> extends T ? [input?: T] : [input: T];

/** A row of the table, without its letters. */
type Row = readonly [method: string, path: string, input?: "query" | "body"];

function methodOf(connection: Connection, [method, pattern, takes]: Row): (...args: unknown[]) => Promise<unknown> {
  const parts = pattern.split(/(:\w+)/);
  return async (...args) => {
    const path = parts.map((part) => (part.startsWith(":") ? encodeURIComponent(idOf(args.shift())) : part)).join("");
    const input = takes ? args.shift() : undefined;
    const body = takes === "body" ? (input ?? {}) : undefined;
    const query = takes === "query" ? (input as object | undefined) : undefined;
    return send(connection, { method, path, query, body }, args[0] as RequestOptions | undefined);
  };
}

/** An id that is empty would ask for the list instead of the one. */
function idOf(id: unknown): string {
  if (typeof id === "string" && id !== "" && id !== "." && id !== "..") return id;
  throw new TypeError("An id is a text that is not empty");
}
