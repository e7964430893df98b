import { rmSync } from 'node:fs';

/** After a run: removes what its panels were copies of. */
export default function teardown() {
  const { PANEL_TEMPLATE_DIR } = process.env;
  if (PANEL_TEMPLATE_DIR) rmSync(PANEL_TEMPLATE_DIR, { recursive: true, force: true });
}
