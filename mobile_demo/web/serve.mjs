/**
 * Serves the app that was built, until it is stopped.
 *
 *     PORT=8000 node serve.mjs
 */

import { preview } from "vite";

const port = Number(process.env.PORT);

function refuse(message) {
  console.error(`Error: ${message}: give another, such as PORT=8001`);
  process.exit(2);
}

if (!Number.isInteger(port) || port < 1 || port > 65535)
  refuse(`'${process.env.PORT}' is no port`);
try {
  (await preview({ preview: { port, strictPort: true } })).printUrls();
} catch (error) {
  if (!/in use|EADDRINUSE|EACCES/.test(`${error}`)) throw error;
  refuse(`port ${port} is taken`);
}
