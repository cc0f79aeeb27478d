import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { noBrowser, startBrowser } from "../harness/browser.ts";

describe.skipIf(noBrowser)("the API reference in Chromium", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.stop());

  test("shows the routes and asks nobody but this server", { timeout: 60_000 }, async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      const asked: string[] = [];
      const blocked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (line) => {
        if (/Content.Security.Policy/i.test(line.text())) blocked.push(line.text());
      });
      await page.goto(`${app.url}/docs`);
      await page.getByText("List the API keys of the tenant").first().waitFor({ timeout: 40_000 });
      await page.waitForLoadState("networkidle");
      const foreign = asked.filter((url) => !url.startsWith(app.url) && !/^(?:data|blob):/.test(url));
      expect({ foreign, blocked }).toEqual({ foreign: [], blocked: [] });
    } finally {
      await browser.close();
    }
  });
});
