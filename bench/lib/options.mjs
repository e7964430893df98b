import { parseArgs } from 'node:util';

export const USAGE = `npm run bench [-- options]
  --quick                      2 rounds of 2 seconds on little data: shows that everything works
  --rounds 5                   how often every target is measured
  --seconds 8                  how long, each time
  --connections 32             how many requests are in flight
  --more-connections 8,128     the same for the reads on the large databases, besides
  --only a,c,f                 some of a, b, c, d, e, f, f100k
  --databases postgres,pglite  where Claviger keeps its data
  --keys 100000                keys in the large databases and in c
  --events 10000000            events in the large PostgreSQL; PGlite gets a tenth
  --load wrk                   wrk or autocannon; wrk where it is installed`;

const TARGETS = ['a', 'b', 'c', 'd', 'e', 'f', 'f100k'];
const DATABASES = ['postgres', 'pglite'];

const FULL = { rounds: '5', seconds: '8', more: '8,128', keys: '100000', events: '10000000' };
const QUICK = { rounds: '2', seconds: '2', more: '', keys: '5000', events: '20000' };

/**
 * @typedef {object} Options
 * @property {boolean} quick
 * @property {number} rounds
 * @property {number} seconds of each measurement
 * @property {number} connections
 * @property {number[]} moreConnections
 * @property {string[]} only
 * @property {string[]} databases
 * @property {number} keys
 * @property {number} events
 * @property {string | undefined} load
 */

/**
 * Reads the command line.
 * @param {string[]} args
 * @returns {Options}
 * @throws Error that says which option cannot be
 */
export function readOptions(args) {
  const string = { type: 'string' };
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: string,
      seconds: string,
      connections: string,
      'more-connections': string,
      only: string,
      databases: string,
      keys: string,
      events: string,
      load: string,
    },
  });
  const defaults = values.quick ? QUICK : FULL;
  return {
    quick: values.quick,
    rounds: count('rounds', values.rounds ?? defaults.rounds),
    seconds: count('seconds', values.seconds ?? defaults.seconds),
    connections: count('connections', values.connections ?? '32'),
    moreConnections: list(values['more-connections'] ?? defaults.more).map((text) =>
      count('more-connections', text),
    ),
    only: among('only', TARGETS, values.only),
    databases: among('databases', DATABASES, values.databases),
    keys: count('keys', values.keys ?? defaults.keys, 1_000),
    events: count('events', values.events ?? defaults.events, 0),
    load: among('load', ['wrk', 'autocannon'], values.load ?? '')[0],
  };
}

function list(text) {
  return text.split(',').filter((item) => item !== '');
}

/** The items of a list, all of them known; all that are known, if there is no list. */
function among(name, known, text) {
  const items = text === undefined ? known : list(text);
  const unknown = items.find((item) => !known.includes(item));
  if (unknown !== undefined) throw new Error(`--${name} ${unknown}: not among ${known.join(', ')}`);
  return items;
}

function count(name, text, min = 1) {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < min) {
    throw new Error(`--${name} ${text}: not a whole number from ${min} on`);
  }
  return number;
}
