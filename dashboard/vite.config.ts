import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The host that `npm run dev` talks to; sessions, cookies and tokens work through it as they do in the product. */
const HOST = process.env.ALERTS_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/settings/alerts/',
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      '@': fileURLToPath(new URL('./src', import.meta.url)),
      // The forms' library asks for its usual validator, which compiles schemas to code. The policy forbids that; ours interprets them.
      '@rjsf/validator-ajv8': fileURLToPath(
        new URL('./src/settings-form/validator.ts', import.meta.url),
      ),
    },
  },
  build: {
    // The content security policy allows no `data:` URLs, so nothing is inlined.
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 400,
  },
  server: { proxy: { '/v1': HOST, '/openapi.json': HOST } },
});
