// Drives the real program in a real Chromium, which `cargo xtask test` finds or installs.
import { defineConfig } from "@playwright/test";

const browser = process.env["ESKER_BROWSER"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: ".",
  outputDir: "../node_modules/.cache/e2e",
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 1000 },
    launchOptions: {
      executablePath: browser,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
