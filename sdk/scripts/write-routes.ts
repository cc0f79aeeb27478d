import { writeFileSync } from "node:fs";

import type { Route } from "@aftercall/contract/api.ts";
import { routes } from "@aftercall/contract/routes.ts";

/** Writes `sdk/src/routes.ts`: of the contract's routes what a client needs to find them. */
const rows = Object.entries<Route>(routes).map(([name, { method, path, query, body }]) => {
  if (query && body) throw new Error(`${name} has a query and a body: the methods of the SDK take one of the two`);
  const takes = body ? "body" : query ? "query" : null;
  return `  ${name}: ${JSON.stringify([method, path, ...(takes ? [takes] : [])]).replaceAll(",", ", ")},`;
});

writeFileSync(
  new URL("../src/routes.ts", import.meta.url),
  `import type { RouteName, Routes } from "./contract.ts";

/** Where every route is and what it takes besides the ids in its path. Written by \`npm run docs\` from the contract. */
export const routes = {
${rows.join("\n")}
} as const satisfies { readonly [Name in RouteName]: Row<Routes[Name]> };

type Row<R extends Routes[RouteName]> = R["body"] extends undefined
  ? R["query"] extends undefined
    ? readonly [R["method"], R["path"]]
    : readonly [R["method"], R["path"], "query"]
  : readonly [R["method"], R["path"], "body"];
`,
);
