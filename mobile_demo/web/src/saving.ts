/** Files out of the app: a download in a browser, the system's dialogue in the APK. */

declare global {
  interface Window {
    /** What the APK offers in place of downloads, which a WebView does not have. */
    rvsmAndroid?: { save(name: string, mimeType: string, base64: string): void };
  }
}

/** Lets the user save a file. */
export async function save(name: string, content: Blob): Promise<void> {
  if (window.rvsmAndroid) {
    const bytes = new Uint8Array(await content.arrayBuffer());
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    window.rvsmAndroid.save(name, content.type, btoa(text));
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
