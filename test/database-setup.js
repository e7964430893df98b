import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Names the folder in which the workers of one run share the migrated template (test/database.ts). */
export default function setup() {
  process.env.TEST_TEMPLATE_DIR = mkdtempSync(join(tmpdir(), 'claviger-test-'));
}
