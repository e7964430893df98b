// Loads the built server for a long time, at a steady rate, and looks at its memory: `npm run soak [-- --minutes 20]`.
// Exits with 1 when a request failed, or when the memory went on growing.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bearer, start } from './lib/claviger.mjs';
import { ADMIN, environment } from './lib/environment.mjs';
import { memoryOf } from './lib/processes.mjs';
import { median } from './lib/report.mjs';
import { openScene } from './lib/scene.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    'per-second': { type: 'string', default: '300' },
  },
});
const MINUTES = Number(values.minutes);
const PER_SECOND = Number(values['per-second']);
const SAMPLE_MS = 5_000;
/** The first part of the time: caches and compiled code come to be. */
const WARM_UP = 0.25;
/** Between the beginning and the end of what follows; the collector takes its time. */
const MAX_GROWTH = 0.1;
const { folder, startPostgres } = openScene('soak');
const postgres = await startPostgres();
const env = environment(folder, await postgres.createDatabase('claviger'));
const { url, pid } = await start({ ...env, PORT: '0', LOG_LEVEL: 'warn' });
const work = await prepare();
process.exit((await soak()) ? 0 : 1);

async function ask(method, path, { token, body, form } = {}) {
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token && bearer(token)),
      ...((body ?? form) && { 'content-type': type }),
    },
    body: form ?? (body && JSON.stringify(body)),
  });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}

/** What is asked again and again: reads, introspections, lists, keys that come and go, and what does not exist. */
async function prepare() {
  const { body: session } = await ask('POST', '/v1/sessions', { body: ADMIN });
  const path = `/v1/organizations/${session.organizations[0].id}`;
  const settings = { requestsPerMinute: 1_000_000, maxKeysPerServiceAccount: 100 };
  await ask('PATCH', path, { token: session.token, body: { settings } });
  const make = async (name, role) => {
    const made = await ask('POST', `${path}/service-accounts`, {
      token: session.token,
      body: { name, role },
    });
    return { id: made.body.serviceAccount.id, token: made.body.key.token };
  };
  const admin = await make('Admin', 'owner');
  const verifier = await make('Verifier', 'verifier');
  const readers = [];
  for (let n = 0; n < 50; n += 1) readers.push(await make(`Reader ${n}`, 'viewer'));
  const reader = (n) => readers[n % readers.length];
  const come = async (n) => {
    const keys = `${path}/service-accounts/${reader(n).id}/keys`;
    const { status, body } = await ask('POST', keys, {
      token: admin.token,
      body: { name: `Key ${n}` },
    });
    if (status !== 201) return status;
    return (await ask('DELETE', `${keys}/${body.id}`, { token: admin.token })).status;
  };
  const status = async (promise) => (await promise).status;
  return [
    (n) => status(ask('GET', '/v1/me', { token: reader(n).token })),
    (n) =>
      status(
        ask('POST', '/oauth/introspect', {
          token: verifier.token,
          form: `token=${reader(n).token}`,
        }),
      ),
    () => status(ask('GET', `${path}/service-accounts?limit=20`, { token: admin.token })),
    (n) =>
      status(ask('GET', `/v1/unknown/${n}`, { token: reader(n).token })).then((code) =>
        code === 404 ? 200 : code,
      ),
    (n) => (n % 5 === 0 ? come(n) : status(ask('GET', '/v1/me', { token: reader(n).token }))),
  ];
}

async function soak() {
  const until = performance.now() + MINUTES * 60_000;
  const samples = [];
  const counts = { requests: 0, failed: 0 };
  const sampling = setInterval(() => samples.push(memoryOf(pid).rss), SAMPLE_MS);
  const inFlight = new Set();
  for (let n = 0; performance.now() < until; n += 1) {
    const one = work[n % work.length](n)
      .then(
        (code) => (code < 300 ? 0 : 1),
        () => 1,
      )
      .then((failed) => {
        counts.requests += 1;
        counts.failed += failed;
        inFlight.delete(one);
      });
    inFlight.add(one);
    if (n % 10 === 9) await delay(10_000 / PER_SECOND);
  }
  await Promise.all(inFlight);
  clearInterval(sampling);
  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  const third = Math.max(1, Math.floor(settled.length / 3));
  const [begin, end] = [median(settled.slice(0, third)), median(settled.slice(-third))];
  const growth = end / begin - 1;
  process.stdout.write(
    `${MINUTES} minutes, ${counts.requests} requests, ${counts.failed} failed; resident ${begin.toFixed(0)} MB at first, ` +
      `${end.toFixed(0)} MB at the end (${(growth * 100).toFixed(1)} %), ${Math.max(...samples).toFixed(0)} MB at most\n`,
  );
  return counts.failed === 0 && growth <= MAX_GROWTH;
}
