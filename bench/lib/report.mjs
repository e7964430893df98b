/**
 * What is compared, by the medians of requests a second; `f` means Claviger on each database.
 * @type {{ name: string, of: string[], to: string[], atLeast: number }[]} `of` and `to`: target and job
 */
const RATIOS = [
  { name: 'me / Fastify + pg (c)', of: ['f', 'me'], to: ['c', 'me'], atLeast: 1 },
  { name: 'me / Fastify (a)', of: ['f', 'me'], to: ['a', 'constant'], atLeast: 0.45 },
  { name: 'introspect / Fastify + pg (c)', of: ['f', 'introspect'], to: ['c', 'me'], atLeast: 0.9 },
  {
    name: 'introspect / oidc-provider (e)',
    of: ['f', 'introspect'],
    to: ['e', 'introspect'],
    atLeast: 4,
  },
  { name: 'create / better-auth (d)', of: ['f', 'create'], to: ['d', 'create'], atLeast: 3 },
];
const FLAT_JOBS = ['me', 'introspect', 'list', 'create'];
const FLAT_AT_LEAST = 0.9;
/** Milliseconds. */
const GATE_AT_MOST = 1;
const P99_AT_MOST = 15;
/** Megabytes. */
const RSS_AT_MOST = 250;
const P99_JOBS = ['me', 'introspect'];

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} job
 * @property {string} label
 * @property {string} database
 * @property {number} connections
 * @property {number} [perSecond] the fixed rate, if there was one
 * @property {number} answerBytes
 * @property {import('./load.mjs').Measured[]} rounds
 * @property {{ rss: number, peak: number }} memory megabytes, after the last round
 */

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const valuesOf = (row, name) => row.rounds.map((round) => round[name]);
const medianOf = (row, name) => median(valuesOf(row, name));
/** A whole number as people read it. */
const whole = (number) => Math.round(number).toLocaleString('en');

/**
 * The middle value, and the least and the greatest.
 * @param {number[]} values
 * @param {(value: number) => string} [show]
 */
export function spread(values, show = whole) {
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

/**
 * The table of everything that was measured.
 * @param {Row[]} rows
 * @returns {string} Markdown
 */
export function table(rows) {
  const head = [
    '| | target | database | in flight | requests/s (min–max) | p50 ms (min–max) | p99 ms (min–max) | failed | RSS MB | peak MB |',
    '|---|---|---|---:|---:|---:|---:|---:|---:|---:|',
  ];
  return [...head, ...rows.map(line)].join('\n');
}

function line(row) {
  const milliseconds = (value) => value.toFixed(2);
  const cells = [
    row.id,
    row.label,
    row.database,
    row.perSecond === undefined ? row.connections : `${whole(row.perSecond)}/s`,
    spread(valuesOf(row, 'perSecond')),
    spread(valuesOf(row, 'p50'), milliseconds),
    spread(valuesOf(row, 'p99'), milliseconds),
    whole(valuesOf(row, 'failed').reduce((sum, failed) => sum + failed, 0)),
    whole(row.memory.rss),
    whole(row.memory.peak),
  ];
  return `| ${cells.join(' | ')} |`;
}

/**
 * The comparisons for which both sides were measured.
 * @param {Row[]} rows
 * @param {{ connections: number }} options
 * @returns {{ name: string, database: string, value: number, target: string, met: boolean }[]}
 */
export function compare(rows, { connections }) {
  const databases = [...new Set(rows.filter(isOurs).map((row) => row.database))];
  const find = (id, job, database) =>
    rows.find((row) => {
      const isThere = isOurs(row) ? row.database === database : true;
      return row.id === id && row.job === job && isThere && row.connections === connections;
    });
  const ratio = (name, of, to, database, atLeast) => {
    if (of === undefined || to === undefined) return [];
    const value = medianOf(of, 'perSecond') / medianOf(to, 'perSecond');
    return [{ name, database, value, target: `≥ ${atLeast}`, met: value >= atLeast }];
  };
  return databases.flatMap((database) => [
    ...RATIOS.flatMap(({ name, of, to, atLeast }) =>
      ratio(name, find(...of, database), find(...to, database), database, atLeast),
    ),
    ...FLAT_JOBS.flatMap((job) => {
      const [large, small] = [find('f100k', job, database), find('f', job, database)];
      return ratio(`${job}, large / small`, large, small, database, FLAT_AT_LEAST);
    }),
    ...gateCost(rows, database),
    ...limits(find, database),
  ]);
}

/** What holds for Claviger alone, on the large databases where those were measured. */
function limits(find, database) {
  const rows = P99_JOBS.map(
    (job) => find('f100k', job, database) ?? find('f', job, database),
  ).filter((row) => row !== undefined);
  const line = (name, value, most) => ({
    name,
    database,
    value,
    target: `≤ ${most}`,
    met: value <= most,
  });
  return [
    ...rows.map((row) => line(`p99 of ${row.job}, ms`, medianOf(row, 'p99'), P99_AT_MOST)),
    ...rows.slice(0, 1).map((row) => line('resident MB afterwards', row.memory.rss, RSS_AT_MOST)),
  ];
}

function isOurs({ id }) {
  return id.startsWith('f');
}

/** What a request with a key, on the trail, takes longer than one of nobody that is not, at the same rate. */
function gateCost(rows, database) {
  const [me, live] = ['me', 'live'].map((job) =>
    rows.find((row) => row.perSecond && row.job === job && row.database === database),
  );
  if (me === undefined || live === undefined) return [];
  const value = medianOf(me, 'p50') - medianOf(live, 'p50');
  const name = `credential check and gate: p50 of me − p50 of live at ${whole(me.perSecond)}/s, ms`;
  return [{ name, database, value, target: `≤ ${GATE_AT_MOST}`, met: value <= GATE_AT_MOST }];
}

/**
 * The table of comparisons.
 * @param {ReturnType<typeof compare>} comparisons
 * @returns {string} Markdown
 */
export function comparisonTable(comparisons) {
  const lines = comparisons.map(
    ({ name, database, value, target, met }) =>
      `| ${name} | ${database} | ${value.toFixed(2)} | ${target} | ${met ? 'met' : 'not met'} |`,
  );
  return ['| comparison | database | value | target | |', '|---|---|---:|---:|---|', ...lines].join(
    '\n',
  );
}
