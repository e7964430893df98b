import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where the API is while the panel is developed. */
const SERVER = process.env.CLAVIGER ?? 'http://127.0.0.1:3000';
const SERVED_BY_API = ['/v1', '/oauth', '/docs', '/openapi.json', '/health', '/.well-known'];

export default defineConfig({
  plugins: [react()],
  build: {
    assetsDir: 'panel/assets',
    // The policy of the pages allows neither data: fonts nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    manifest: 'manifest.json',
    target: 'es2022',
  },
  server: {
    host: '127.0.0.1',
    // The server takes the panel's cookie from this origin alone.
    port: 5173,
    strictPort: true,
    proxy: Object.fromEntries(
      // The host stays what the browser asked for: cookie requests must come from this very origin.
      SERVED_BY_API.map((path) => [path, { target: SERVER, changeOrigin: false }]),
    ),
  },
});
