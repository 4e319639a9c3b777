import { defineConfig } from "vitest/config";

// Apart from vite.config.ts: these tests build no service worker, and what lies in
// tests/browser is Playwright's. A busy machine takes longer than Vitest would wait.
export default defineConfig({
  test: { include: ["tests/*.test.ts"], testTimeout: 60_000 },
});
