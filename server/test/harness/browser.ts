import { chromium, type Browser } from "playwright-core";

/**
 * A Chromium to look at pages with, named by `CHROMIUM_PATH`. Without one the tests that need it are skipped, and say so:
 * `describe.skipIf(noBrowser)`.
 */
export const browserPath = process.env["CHROMIUM_PATH"] ?? "";
export const noBrowser = browserPath === "";

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}
