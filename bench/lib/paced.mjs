// Sends requests at a fixed rate, whether answers come or not, and measures how long each takes: `paced.mjs <file>`.
import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'node:http';

const { url, requests, perSecond, seconds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const total = perSecond * seconds;
const latencies = [];
let [sent, failed] = [0, 0];
const startedAt = performance.now();
const ticker = setInterval(sendWhatIsDue, 1);

function sendWhatIsDue() {
  const due = Math.min(total, ((performance.now() - startedAt) * perSecond) / 1_000);
  for (; sent < due; sent += 1) ask(requests[sent % requests.length]);
  if (sent === total) clearInterval(ticker);
}

function ask({ method, path, headers, body }) {
  const askedAt = performance.now();
  const fail = () => answered(true);
  const request = send(url + path, { method, headers, agent, timeout: 10_000 }, (response) => {
    response.resume();
    response.on('error', fail);
    response.on('end', () => {
      latencies.push(performance.now() - askedAt);
      answered(response.statusCode >= 300);
    });
  });
  request.on('error', fail);
  request.end(body);
}

function answered(isFailure) {
  if (isFailure) failed += 1;
  if (latencies.length + failed < total) return;
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const percentile = (part) => latencies[Math.floor(latencies.length * part)] ?? 0;
  const elapsed = (performance.now() - startedAt) / 1_000;
  const [p50, p99] = [percentile(0.5), percentile(0.99)];
  const rates = { requests: latencies.length, perSecond: latencies.length / elapsed };
  process.stdout.write(JSON.stringify({ ...rates, p50, p99, failed }));
}
