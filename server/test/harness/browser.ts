import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium, type Browser } from "playwright-core";

/**
 * A Chromium to look at pages with: `CHROMIUM_PATH`, else the first that is installed under a usual name. Without one the tests
 * that need it are skipped, and say so: `describe.skipIf(noBrowser)`.
 */
const browserPath = process.env["CHROMIUM_PATH"] || installed(["chromium", "chromium-browser", "google-chrome"]);
export const noBrowser = browserPath === null;

export function startBrowser(): Promise<Browser> {
  if (browserPath === null) throw new Error("No Chromium: set CHROMIUM_PATH");
  return chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

function installed(names: readonly string[]): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
