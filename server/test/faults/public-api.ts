import { faultApiKey } from "./victim.ts";

/** The server as its users see it: all that the judge may look at. */
export type PublicApi = {
  post(path: string, body: unknown): Promise<void>;
  /** Every item of a list, page by page with its cursor. */
  all<Item>(path: string): Promise<Item[]>;
};

export function publicApi(port: number): PublicApi {
  const base = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${faultApiKey}`, "content-type": "application/json" };
  return {
    async post(path, body) {
      const answer = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
    },
    async all<Item>(path: string) {
      const items: Item[] = [];
      for (let cursor: string | null = null; ;) {
        const url = new URL(path, base);
        url.searchParams.set("limit", "100");
        if (cursor) url.searchParams.set("cursor", cursor);
        const answer = await fetch(url, { headers });
        if (!answer.ok) throw new Error(`GET ${url.pathname} answered ${answer.status}: ${await answer.text()}`);
        const page = (await answer.json()) as { data: Item[]; has_more: boolean; next_cursor: string | null };
        items.push(...page.data);
        if (!page.has_more) return items;
        cursor = page.next_cursor;
      }
    },
  };
}
