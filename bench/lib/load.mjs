import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, runLoad } from './processes.mjs';

/**
 * @typedef {object} Request one request as it is sent
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string} [body]
 *
 * @typedef {object} Measured
 * @property {number} requests answered
 * @property {number} perSecond
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} failed answers that were no success, broken connections, time-outs
 */

/** Which program loads: wrk where it is installed, unless another one was asked for. */
export function chooseLoad(wanted) {
  const hasWrk = spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined;
  if (wanted === 'wrk' && !hasWrk) throw new Error('wrk is not installed');
  return wanted ?? (hasWrk ? 'wrk' : 'autocannon');
}

/**
 * Sends the requests one after the other, again and again, on each of the connections.
 * @param {'wrk' | 'autocannon'} program
 * @param {{ url: string, requests: Request[], connections: number, seconds: number, folder: string, core?: number | null }}
 *   load `folder`: for a file of the requests; `core`: null for any, else the load's
 * @returns {Promise<Measured>}
 */
export function measure(program, load) {
  return program === 'wrk' ? wrk(load) : autocannon(load);
}

async function wrk({ url, requests, connections, seconds, folder, core = LOAD_CORE }) {
  const script = join(folder, 'requests.lua');
  writeFileSync(script, luaOf(requests));
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  const output = await runLoad('wrk', [...args, '-s', script, url], core ?? undefined);
  const result = /^RESULT (.*)$/m.exec(output)?.[1];
  if (result === undefined) throw new Error(`wrk said nothing that can be read:\n${output}`);
  const { answered, duration, p50, p99, failed } = JSON.parse(result);
  const requestsPerSecond = (answered * 1e6) / duration;
  const measured = { p50: p50 / 1_000, p99: p99 / 1_000, failed };
  return { requests: answered, perSecond: requestsPerSecond, ...measured };
}

/** wrk's script: the requests are put together once, before the load begins. What JSON quotes is a string in Lua, too. */
function luaOf(requests) {
  const quote = (text) => (text === undefined ? 'nil' : JSON.stringify(text));
  const lines = requests.map(({ method, path, headers, body }) => {
    const pairs = Object.entries(headers).map(
      ([name, value]) => `[${quote(name)}]=${quote(value)}`,
    );
    return `  wrk.format(${quote(method)}, ${quote(path)}, {${pairs.join(', ')}}, ${quote(body)}),`;
  });
  return `local requests
local at = 0
function init()
requests = {
${lines.join('\n')}
}
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  print(string.format('RESULT {"answered":%d,"duration":%d,"p50":%d,"p99":%d,"failed":%d}', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

async function autocannon({ folder, core = LOAD_CORE, ...load }) {
  const file = join(folder, 'requests.json');
  writeFileSync(file, JSON.stringify(load));
  const script = fileURLToPath(new URL('autocannon.mjs', import.meta.url));
  return JSON.parse(await runLoad(process.execPath, [script, file], core ?? undefined));
}

/**
 * Sends requests at a fixed rate.
 * @param {{ url: string, requests: Request[], perSecond: number, seconds: number, folder: string }} load
 * @returns {Promise<Measured>}
 */
export async function measurePaced({ folder, ...load }) {
  const file = join(folder, 'paced.json');
  writeFileSync(file, JSON.stringify(load));
  const script = fileURLToPath(new URL('paced.mjs', import.meta.url));
  return JSON.parse(await runLoad(process.execPath, [script, file], LOAD_CORE));
}
