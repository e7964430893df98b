import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Before a run: finds the browser (`CHROMIUM`, else the first on the PATH) for its workers, and says loudly that nothing is tested
 * where there is none.
 */
export default function findChromium() {
  const { CHROMIUM, PATH = '' } = process.env;
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = CHROMIUM || places.find(isExecutable);
  if (found) process.env.CHROMIUM = found;
  else console.error('\nNO BROWSER: Chromium was not found, ALL TESTS OF THE PANEL ARE SKIPPED\n');
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
