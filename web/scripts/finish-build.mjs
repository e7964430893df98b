// After `vite build`: compressed copies of every text file, made once instead of at each request, and the size of the first
// load of every page, which fails the build where it is over its bound.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const WEB = join(import.meta.dirname, '..');
const DIST = join(WEB, 'dist');
/** JavaScript that a browser loads before it shows a page, in bytes as they are sent, whichever compression it takes. */
const FIRST_LOAD_BYTES = 200_000;
const COMPRESSED = /\.(?:js|css|svg|html)$/;

for (const name of readdirSync(DIST, { recursive: true })) {
  const file = join(DIST, name);
  if (!COMPRESSED.test(name) || !statSync(file).isFile()) continue;
  const content = readFileSync(file);
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params }));
}

const chunks = JSON.parse(readFileSync(join(DIST, 'manifest.json'), 'utf8'));
const rows = firstLoads().map(([page, files]) => ({
  page,
  files: files.size,
  gzip: sizeOf(files, 'gz'),
  brotli: sizeOf(files, 'br'),
}));
print(rows);
const heavy = rows.filter(({ gzip, brotli }) => Math.max(gzip, brotli) > FIRST_LOAD_BYTES);
if (heavy.length > 0) {
  const pages = heavy.map(({ page }) => page).join(', ');
  console.error(`The first load must stay under ${inKb(FIRST_LOAD_BYTES)} kB: ${pages}`);
  process.exit(1);
}

/** What every page needs before it shows anything: the entry, the shell around it, its own module, and all that they import. */
function firstLoads() {
  const modules = routeModules();
  const shell = modules.find((name) => name === 'shell/shell');
  if (!shell) throw new Error('routes.tsx has no shell');
  return modules
    .filter((name) => name !== shell)
    .map((name) => {
      // Pages for people who are not logged in stand alone.
      const parts = name.startsWith('session/') ? [name] : [shell, name];
      const files = new Set();
      for (const key of ['index.html', ...parts.map((part) => `src/${part}.tsx`)]) {
        collect(key, files);
      }
      return [name, files];
    });
}

/** The modules that routes.tsx loads when their address is opened: `users/users-page`. */
function routeModules() {
  const routes = readFileSync(join(WEB, 'src/routes.tsx'), 'utf8');
  return [...routes.matchAll(/import\(\s*'\.\/([^']+)'/g)].map(([, name]) => name);
}

function collect(key, files) {
  const chunk = chunks[key];
  if (!chunk) throw new Error(`the build has no ${key}`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) collect(imported, files);
}

function sizeOf(files, extension) {
  return [...files].reduce(
    (sum, file) => sum + statSync(join(DIST, `${file}.${extension}`)).size,
    0,
  );
}

function print(pages) {
  const width = Math.max(...pages.map(({ page }) => page.length));
  console.log(`${'First load in kB'.padEnd(width)}    gzip  brotli  files`);
  for (const { page, files, gzip, brotli } of pages.sort((one, other) => other.gzip - one.gzip)) {
    const numbers = [inKb(gzip), inKb(brotli), String(files)].map((text) => text.padStart(6));
    console.log(`${page.padEnd(width)}  ${numbers.join('  ')}`);
  }
}

function inKb(bytes) {
  return (bytes / 1000).toFixed(1);
}
