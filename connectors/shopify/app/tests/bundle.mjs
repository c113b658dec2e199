// Bundles each extension as Shopify's CLI does, into dist/, and holds it against Shopify's limit.
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

/** https://shopify.dev/docs/apps/build/app-extensions: a compiled script has at most 64 kB. */
const LIMIT = 64 * 1024;
const ENTRIES = {
  'thank-you': 'extensions/factura-thank-you/src/ThankYou.tsx',
  'order-status': 'extensions/factura-order-status/src/OrderStatus.tsx',
};
const COMMON = {
  bundle: true,
  format: 'esm',
  target: 'es2020',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
};

for (const [name, entry] of Object.entries(ENTRIES)) {
  const {outputFiles} = await build({...COMMON, entryPoints: [entry], minify: true, write: false});
  const bytes = outputFiles[0].contents;
  console.log(`${name}: ${bytes.length} bytes, ${gzipSync(bytes).length} compressed`);
  if (bytes.length > LIMIT) process.exit(1);
  // For the tests Preact stays outside: one copy of it draws both components.
  await build({
    ...COMMON,
    entryPoints: [entry],
    outfile: `dist/${name}.mjs`,
    external: ['preact', 'preact/*', '@preact/signals'],
  });
}
await build({...COMMON, entryPoints: ['src/link.ts', 'src/hub.ts'], outdir: 'dist', outExtension: {'.js': '.mjs'}});
