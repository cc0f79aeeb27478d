import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { noBrowser, startBrowser } from "../harness/browser.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";

/** The lines of the guide, in a page of the server's own origin. */
const script = (token: string) => `
  window.heard = [];
  (async () => {
    await fetch("/v1/session", { method: "PUT", headers: { authorization: "Bearer ${token}" } });
    window.stream = new EventSource("/v1/stream?topics=calls");
    stream.onopen = () => window.heard.push("open");
    stream.addEventListener("call", ({ data }) => window.heard.push(JSON.parse(data).call.id));
  })();`;

describe.skipIf(noBrowser)("a page with EventSource, in Chromium", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ PUBLIC_URL: "http://127.0.0.1" });
  });
  afterAll(() => app.stop());

  test("hears of calls with a cookie that it cannot read, until it ends its session", { timeout: 90_000 }, async () => {
    const customer = await makeCustomer(app);
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      const url = `${app.url}/page-of-a-test`;
      await page.route(url, (route) => {
        return route.fulfill({ contentType: "text/html", body: `<script>${script(customer.key)}</script>` });
      });
      await page.goto(url);
      await page.waitForFunction("window.heard.includes('open')", null, { timeout: 60_000 });
      const { id } = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: newUuid() });
      await page.waitForFunction(`window.heard.includes(${JSON.stringify(id)})`, null, { timeout: 60_000 });
      expect(await page.evaluate("document.cookie")).toBe("");
      // Whatever else the page asks for is asked for without a credential.
      expect(await page.evaluate("fetch('/v1/calls').then(({ status }) => status)")).toBe(401);
      expect(await page.evaluate("fetch('/v1/session', { method: 'DELETE' }).then(({ status }) => status)")).toBe(204);
      expect(await page.evaluate("fetch('/v1/stream').then(({ status }) => status)")).toBe(401);
    } finally {
      await browser.close();
    }
  });
});
