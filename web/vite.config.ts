// How the page is built: one bundle under /assets/, nothing inlined, so that `default-src 'self'` holds; and /esker.js, a module
// for a project's own pages, whose name and exports stay.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running esker. */
const server = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rolldownOptions: {
      input: { index: "index.html", esker: "src/lib/esker.ts" },
      preserveEntrySignatures: "exports-only",
      output: { entryFileNames: (entry) => (entry.name === "esker" ? "esker.js" : "assets/[name]-[hash].js") },
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: server, ws: true }, "/sync": { target: server, ws: true } },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
