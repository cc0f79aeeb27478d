import { defineConfig } from "vitest/config";

// What .ci/run counts; people get the default alone.
const report = ["json", { outputFile: "node_modules/.cache/vitest-report.json" }] as const;

export default defineConfig({
  test: {
    reporters: process.env["CI"] ? ["default", [...report]] : ["default"],
    projects: [
      {
        test: {
          name: "server",
          include: [
            "contract/src/**/*.test.ts",
            "server/src/**/*.test.ts",
            "server/test/**/*.test.ts",
            "sdk/src/**/*.test.{ts,tsx}",
          ],
          isolate: false,
          maxWorkers: 2,
          // Ends what hangs; nothing is measured by it, and disks of busy machines are slow.
          testTimeout: 90_000,
          hookTimeout: 120_000,
          globalSetup: ["server/test/harness/global-setup.ts"],
        },
      },
    ],
  },
});
