import { writeFileSync } from "node:fs";

import type { Route } from "@aftercall/contract/api.ts";
import { routes } from "@aftercall/contract/routes.ts";

/** Writes `sdk/src/routes.ts`: of the contract's routes what a client needs to find them. */
const rows = Object.entries<Route>(routes).map(([name, { method, path, query, body, bodyLines, media }]) => {
  if (query && body) throw new Error(`${name} has a query and a body: the methods of the SDK take one of the two`);
  const ids = path.slice("/v1".length).replaceAll(/:\w+/g, ":");
  const takes = [body && "!", bodyLines && "<", query && "?", media === "application/x-ndjson" && ">"];
  return `  ${name}: "${[method === "GET" ? "" : `${method} `, ids, ...takes].filter(Boolean).join("")}",`;
});

writeFileSync(
  new URL("../src/routes.ts", import.meta.url),
  `import type { RouteName, Routes } from "./contract.ts";

/**
 * Every route below /v1, as briefly as a program can read it: the method where it is not GET, the path with a colon for each id,
 * \`!\` for a body, \`<\` for a file, \`?\` for a query, \`>\` for an answer that is a stream. Written by \`npm run docs\`.
 */
export const routes = {
${rows.join("\n")}
} as const satisfies { readonly [Name in RouteName]: Row<Routes[Name]> };

type Row<R extends Routes[RouteName]> =
  \`\${Method<R["method"]>}\${Short<R["path"]>}\${If<R["body"], "!">}\${If<R["lines"], "<">}\${If<R["query"], "?">}\${R["isStream"] extends true ? ">" : ""}\`;
type Method<Name extends string> = Name extends "GET" ? "" : \`\${Name} \`;
type Short<Path extends string> = Path extends \`/v1\${infer Rest}\` ? Ids<Rest> : never;
type Ids<Path extends string> = Path extends \`\${infer Before}:\${string}/\${infer After}\`
  ? \`\${Before}:/\${Ids<After>}\`
  : Path extends \`\${infer Before}:\${string}\`
    ? \`\${Before}:\`
    : Path;
type If<T, Sign extends string> = [T] extends [undefined] ? "" : Sign;
`,
);
