/** Knows which methods a path has, so that a wrong method is told apart from a wrong path. */
export function createRouteMap() {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  return {
    add(method: string | readonly string[], url: string): void {
      const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
      for (const one of [method].flat()) route.methods.add(one);
      routes.set(url, route);
    },
    /** Sorted; empty when no route has this path. */
    methodsFor(path: string): string[] {
      const methods = [...routes.values()]
        .filter((route) => route.pattern.test(path))
        .flatMap((route) => [...route.methods]);
      return [...new Set(methods)].toSorted();
    },
  };
}

/** `/v1/calls/:id` → one segment for `:id`, anything for `*`. Linear: there is nothing to backtrack into. */
function patternOf(url: string): RegExp {
  const source = url
    .split("/")
    .map((part) => (part.startsWith(":") ? "[^/]+" : part === "*" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")))
    .join("/");
  return new RegExp(`^${source}$`);
}
