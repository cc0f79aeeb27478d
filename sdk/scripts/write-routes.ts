import { writeFileSync } from "node:fs";

import type { Route } from "@aftercall/contract/api.ts";
import { routes } from "@aftercall/contract/routes.ts";

/** Writes `sdk/src/routes.ts`: of the contract's routes what a client needs to find them. */
const rows = Object.entries<Route>(routes).map(([name, { method, path, query, body, bodyLines, media }]) => {
  if (query && body) throw new Error(`${name} has a query and a body: the methods of the SDK take one of the two`);
  const takes = [body && "body", bodyLines && "lines", query && "query", media === "application/x-ndjson" && "stream"];
  return `  ${name}: "${[method, path.slice("/v1".length), ...takes].filter(Boolean).join(" ")}",`;
});

writeFileSync(
  new URL("../src/routes.ts", import.meta.url),
  `import type { RouteName, Routes } from "./contract.ts";

/** Where every route is below /v1, and what it takes besides the ids in its path: texts, because they are small. Written by \`npm run docs\` from the contract. */
export const routes = {
${rows.join("\n")}
} as const satisfies { readonly [Name in RouteName]: Row<Routes[Name]> };

type Row<R extends Routes[RouteName]> =
  \`\${R["method"]} \${Short<R["path"]>}\${If<R["body"], "body">}\${If<R["lines"], "lines">}\${If<R["query"], "query">}\${R["isStream"] extends true ? " stream" : ""}\`;
type Short<Path> = Path extends \`/v1\${infer Rest}\` ? Rest : never;
type If<T, Word extends string> = [T] extends [undefined] ? "" : \` \${Word}\`;
`,
);
