import { type Connection, connectionOf, type ConnectionOptions } from "./connection.ts";
import type { RouteName, Routes } from "./contract.ts";
import type { Lines } from "./lines.ts";
import { routes } from "./routes.ts";
import { type Request, type RequestOptions, send, sendForLines } from "./send.ts";

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
  ...args: [...ids: IdsIn<R["path"]>, ...input: Input<R>, options?: RequestOptions]
) => R["isStream"] extends true ? AsyncGenerator<R["output"], void, undefined> : Promise<R["output"]>;

type Input<R extends Routes[RouteName]> = R["lines"] extends undefined
  ? InputArgument<Taken<R>>
  : [lines: Lines, ...query: InputArgument<R["query"]>];

type IdsIn<Path extends string> = Path extends `${string}/:${string}/${infer Rest}`
  ? [id: string, ...IdsIn<`/${Rest}`>]
  : Path extends `${string}/:${string}`
    ? [id: string]
    : [];
type Taken<R extends { readonly body: unknown; readonly query: unknown }> = R["body"] extends undefined
  ? R["query"]
  : R["body"];
type InputArgument<T> = [T] extends [undefined] ? [] : Record<string, never> extends T ? [input?: T] : [input: T];

/** `routes` says how a row is read. */
function methodOf(connection: Connection, row: string): (...args: unknown[]) => unknown {
  const [, method = "GET", pattern = "", takes = ""] = /^(?:(\w+) )?([^!<?>]+)(.*)/.exec(row) ?? [];
  const requestOf = (args: unknown[]): Request => {
    const path = `/v1${pattern.replace(/:/g, () => encodeURIComponent(idOf(args.shift())))}`;
    const take = (sign: string) => (takes.includes(sign) ? args.shift() : undefined);
    return {
      method,
      path,
      body: takes.includes("!") ? (args.shift() ?? {}) : undefined,
      lines: take("<") as Lines | undefined,
      query: take("?") as object | undefined,
    };
  };
  if (takes.includes(">")) return (...args) => sendForLines(connection, requestOf(args), optionsIn(args));
  return async (...args) => send(connection, requestOf(args), optionsIn(args));
}

/** What is left when ids and input are taken. */
function optionsIn([options]: unknown[]): RequestOptions | undefined {
  return options as RequestOptions | undefined;
}

/** An id that is empty would ask for the list instead of the one. */
function idOf(id: unknown): string {
  if (typeof id === "string" && id !== "" && id !== "." && id !== "..") return id;
  throw new TypeError("An id is a text that is not empty");
}
