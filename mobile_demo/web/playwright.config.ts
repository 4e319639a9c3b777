import { defineConfig } from "@playwright/test";

// Not the preview's own port, which may be in use. Workers read this file again, and
// inherit the variable.
const port = (process.env.PREVIEW_PORT ??= String(20_000 + (process.pid % 20_000)));
const url = `http://localhost:${port}/`;

/** A tablet; what is tested in other sizes sets them. */
export default defineConfig({
  testDir: "tests/browser",
  workers: 1,
  timeout: 120_000,
  forbidOnly: true,
  reporter: "list",
  use: {
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    deviceScaleFactor: 2,
    hasTouch: true,
    // Each test would fetch 12 MB once more; offline.spec.ts allows them.
    serviceWorkers: "block",
    launchOptions: {
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        // No other host has an address.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
      ],
    },
  },
  webServer: { command: `npx vite preview --port ${port} --strictPort`, url },
});
