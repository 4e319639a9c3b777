/** Keeps the app in the browser, so that it starts without a network. */

import { registerSW } from "virtual:pwa-register";

/** Where the APK serves the app; its files are on the device already. */
const APK = "appassets.androidplatform.net";

export function keepOffline(): void {
  if (location.hostname === APK) return;
  // A newer version waits for the next start: a reload would lose the drawing.
  registerSW({ immediate: true, onNeedReload() {} });
}
