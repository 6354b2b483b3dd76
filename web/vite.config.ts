import { join } from 'node:path';
import { defineConfig } from 'vite';

const API = process.env['EVENKEEL_API'] ?? 'http://127.0.0.1:7611';

// Vite reads a configuration as a default export only.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: join(import.meta.dirname, '../node_modules/.vite-web'),
  // While one works on it: `npx vite web`, beside a controller at EVENKEEL_API.
  server: { host: '127.0.0.1', proxy: { '/api': API } },
  css: { modules: { generateScopedName: '[name]_[local]_[hash:base64:4]' } },
  build: {
    target: 'es2023',
    manifest: 'manifest.json',
    // What the page needs comes from files: the content security policy knows neither inline scripts nor data addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    // What packages say to servers that render React; there is none here.
    rolldownOptions: {
      onLog: (level, log, say) => (log.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : say(level, log)),
    },
  },
});
