import type { Route } from "@aftercall/contract/api.ts";
import type { z } from "zod";

export type Api = {
  /** Asks a route of /v1 with the operator's key and checks the answer against the contract. @throws Error unless it succeeds */
  ask<R extends Route>(route: R, given?: Asked<R>): Promise<z.output<R["output"]>>;
};

type Asked<R extends Route> = {
  readonly id?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: R["body"] extends z.ZodType ? z.input<R["body"]> : never;
};

export function createApi(url: string, key: string): Api {
  return {
    async ask(route, { id, query, body } = {}) {
      const path = route.path.replace(":id", id ?? "") + (query ? `?${new URLSearchParams(query).toString()}` : "");
      const answer = await fetch(url + path, {
        method: route.method,
        headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${route.method} ${path} was answered ${answer.status}: ${text}`);
      return route.output.parse(text === "" ? null : JSON.parse(text)) as z.output<(typeof route)["output"]>;
    },
  };
}
