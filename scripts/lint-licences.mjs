import { shippedPackages } from './shipped.mjs';

/**
 * The licences under which others' code may be part of a release: they let us pass it on under our own and ask for no more than that
 * their text goes with it. Weigh a further one before you add it: copyleft licences do not belong here.
 */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'OFL-1.1', // fonts: the font alone may not be sold
  'Python-2.0',
]);

/** Of a choice one must be allowed, of a sum all. What is nested deeper is refused: read it and enter it in scripts/shipped.mjs. */
const isAllowed = (licence = '') =>
  licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => ALLOWED.has(one)));

// `npm run lint:licences [package-lock.json]`: part of `npm run lint`.
const refused = shippedPackages(process.argv[2]).filter(({ licence }) => !isAllowed(licence));
for (const { name, version, licence } of refused)
  console.error(
    `${name}@${version} would be shipped under a licence that scripts/lint-licences.mjs does not allow: ${licence ?? 'none is named'}`,
  );
process.exitCode = refused.length === 0 ? 0 : 1;
