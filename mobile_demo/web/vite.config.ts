import basicSsl from "@vitejs/plugin-basic-ssl";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

// For tablets of the same network; otherwise the app is served on this machine alone.
const https = Boolean(process.env.HTTPS);

export default defineConfig({
  base: "./",
  preview: { host: https ? true : "localhost" },
  build: { target: "es2022", modulePreload: { polyfill: false } },
  plugins: [
    https && basicSsl(),
    VitePWA({
      registerType: "autoUpdate",
      injectRegister: false,
      manifest: {
        name: "Tremor in handwriting",
        short_name: "Tremor",
        description: "Draw a letter, see the tremor, offline",
        display: "standalone",
        background_color: "#f4f6f6",
        theme_color: "#14424c",
        icons: [
          { src: "icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "icon.svg", sizes: "any", type: "image/svg+xml", purpose: "any" },
        ],
      },
      workbox: {
        globPatterns: ["**/*.{html,js,css,svg,png,wasm,tflite,webmanifest}"],
        // The runtime is the largest file.
        maximumFileSizeToCacheInBytes: 16e6,
      },
    }),
  ],
});
