/** What is served is what was built, and nothing beside it. */

import { get } from "node:http";
import { expect, test } from "@playwright/test";

/** Asks for a path as it stands: a browser would tidy it up first. */
function answer(base: string, path: string, host: string) {
  const { port } = new URL(base);
  return new Promise<{ status?: number; body: string }>((resolve, reject) => {
    get({ host: "localhost", port, path, headers: { host } }, (response) => {
      let body = "";
      response.on("data", (part) => (body += part));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    }).on("error", reject);
  });
}

for (const path of [
  "/../package.json",
  "/../../../setup.cfg",
  "/%2e%2e/package.json",
  "/..%2fpackage.json",
  "/..%5cpackage.json",
  "/assets/../../package.json",
  "//etc/passwd",
  "/@fs/etc/passwd",
])
  test(`${path} is not served`, async ({ baseURL }) => {
    const { body } = await answer(baseURL!, path, "localhost");
    expect(body).toMatch(/^$|^<!doctype html>|not found/i);
    expect(body).not.toMatch(/rvsm-tf-demo|install_requires|root:/);
  });

test("a page of another name does not get to it", async ({ baseURL }) => {
  const { status } = await answer(baseURL!, "/", "evil.example");
  expect(status).toBe(403);
});

test("the page says what it may load", async ({ baseURL }) => {
  const { body } = await answer(baseURL!, "/", "localhost");
  const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(body)?.[1] ?? "";
  const rules = policy.split(";").map((rule) => rule.trim());
  expect(rules).toContain("default-src 'none'");
  expect(rules).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(rules).toContain("connect-src 'self'");
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|http/);
});
