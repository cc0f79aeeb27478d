import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import react from "@vitejs/plugin-react";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { noBrowser, startBrowser } from "../harness/browser.ts";
import { makeCustomer, newUuid, randomToken } from "../harness/customer.ts";

/** A page of another origin, built as a customer builds theirs (sdk/examples/outcome-page), with the hooks of the SDK. */
describe.skipIf(noBrowser)("a React page with the hooks of the SDK, in Chromium", () => {
  let app: TestApp;
  let pages: Server;
  let origin: string;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "page-"));
    await build({
      configFile: false,
      root: path.resolve(import.meta.dirname, "../../../sdk/examples/outcome-page"),
      plugins: [react()],
      logLevel: "silent",
      build: { outDir: dir, emptyOutDir: true },
    });
    pages = createServer((request, response) => {
      const name = request.url === "/" ? "index.html" : path.normalize(request.url ?? "").replace(/^\/+/, "");
      const type = name.endsWith(".js") ? "text/javascript" : "text/html";
      readFile(path.join(dir, name)).then(
        (bytes) => response.writeHead(200, { "content-type": type }).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    app = await startTestApp({ AFTERCALL_ALLOWED_ORIGINS: origin });
  }, 180_000);
  afterAll(async () => {
    await app.stop();
    await new Promise((resolve) => {
      pages.close(resolve);
      pages.closeAllConnections();
    });
    await rm(dir, { recursive: true });
  });

  test("the outcome appears by itself when the call ends, without a reload", { timeout: 180_000 }, async () => {
    const customer = await makeCustomer(app);
    const vapi = await customer.connect("vapi");
    const sub = randomToken("anna");
    await customer.post("/v1/users", { external_id: sub });
    const providerId = newUuid();
    const call = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: providerId, user_id: sub });

    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      const loads: string[] = [];
      page.on("load", () => loads.push(page.url()));
      const given = new URLSearchParams({ server: app.url, token: tokenOf(sub), call: call.id, user: sub });
      await page.goto(`${origin}/#${given.toString()}`);
      await page.getByText("Call outcome: none yet").waitFor({ timeout: 60_000 });
      await page.getByText("Stream: live").waitFor({ timeout: 60_000 });

      const now = Date.now();
      const report = {
        type: "end-of-call-report",
        endedReason: "customer-ended-call",
        startedAt: new Date(now - 45_000).toISOString(),
        endedAt: new Date(now).toISOString(),
        call: { id: providerId },
      };
      expect((await vapi.own({ message: report })).status).toBe(200);
      await page.getByText("Call outcome: completed").waitFor({ timeout: 60_000 });
      await page.getByText("Duration: 45 seconds").waitFor({ timeout: 60_000 });
      await page.getByText("Status: ended").waitFor({ timeout: 60_000 });
      expect(loads).toHaveLength(1);
    } finally {
      await browser.close();
    }
  });
});

function tokenOf(sub: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub, exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${signed}.${createHmac("sha256", known.jwtSecret).update(signed).digest("base64url")}`;
}
