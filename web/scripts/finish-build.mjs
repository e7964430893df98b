// After `vite build`: compressed copies of every text file, made once instead of at each request, and the size of the first
// load, which fails the build when it is over its bound.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const DIST = join(import.meta.dirname, '../dist');
/** Compressed JavaScript that a browser loads before it shows anything. */
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

const manifest = JSON.parse(readFileSync(join(DIST, 'manifest.json'), 'utf8'));
const files = firstLoad(manifest, 'index.html');
const bytes = files.reduce((sum, file) => sum + statSync(join(DIST, `${file}.gz`)).size, 0);
console.log(
  `first load: ${(bytes / 1000).toFixed(1)} kB of JavaScript (gzip) in ${files.length} files`,
);
if (bytes > FIRST_LOAD_BYTES) {
  console.error(`The first load must stay under ${FIRST_LOAD_BYTES / 1000} kB.`);
  process.exit(1);
}

/** The entry and everything that it imports statically. */
function firstLoad(chunks, name, seen = new Set()) {
  const chunk = chunks[name];
  if (seen.has(chunk.file)) return [];
  seen.add(chunk.file);
  return [chunk.file, ...(chunk.imports ?? []).flatMap((one) => firstLoad(chunks, one, seen))];
}
