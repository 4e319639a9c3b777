import { defineConfig } from "vitest/config";

// Apart from vite.config.ts: these tests build no service worker, and what lies in
// tests/browser is Playwright's.
export default defineConfig({ test: { include: ["tests/*.test.ts"] } });
