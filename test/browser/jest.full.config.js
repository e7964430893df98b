/** What `npm run test:browser:full` runs: the same, and everything that opens over a page in both themes and with pictures. */
process.env.PANEL_LOOKS = 'full'; // Workers inherit it.

export { default } from './jest.config.js';
