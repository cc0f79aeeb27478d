import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "server",
          include: ["contract/src/**/*.test.ts", "server/src/**/*.test.ts", "server/test/**/*.test.ts", "sdk/src/**/*.test.ts"],
          isolate: false,
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          globalSetup: ["server/test/harness/global-setup.ts"],
        },
      },
    ],
  },
});
