import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGE = join(import.meta.dirname, '..');
const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
};

/** What a built module and those it imports by a relative path import otherwise. */
function packagesUsedBy(file: string, seen = new Set<string>()): Set<string> {
  const used = new Set<string>();
  if (seen.has(file)) return used;
  seen.add(file);
  const source = readFileSync(file, 'utf8');
  for (const [, name] of source.matchAll(
    /^(?:import|export)\b(?:[^'"\n]*\bfrom)? ['"]([^'"]+)['"]/gm,
  )) {
    if (!name!.startsWith('.')) used.add(name!);
    else for (const more of packagesUsedBy(join(dirname(file), name!), seen)) used.add(more);
  }
  return used;
}

describe('The built package', () => {
  const entries = Object.values(exports).filter((entry) => typeof entry === 'object');

  it('has a file and types for each entry', () => {
    const files = entries.flatMap((entry) => [entry.default, entry.types]);
    expect(files.filter((file) => !existsSync(join(PACKAGE, file)))).toEqual([]);
    expect(files).toHaveLength(10);
  });

  it('is a client without dependencies, Node included, so that browsers can use it', () => {
    expect([...packagesUsedBy(join(PACKAGE, 'dist/index.js'))]).toEqual([]);
    // That this would be seen:
    expect([...packagesUsedBy(join(PACKAGE, 'dist/verify.js'))].sort()).toEqual([
      'jose',
      'node:crypto',
    ]);
  });
});
