// Loads a server with autocannon, where there is no wrk: `autocannon.mjs <file>`. Its latencies are whole milliseconds.
import autocannon from 'autocannon';
import { readFileSync } from 'node:fs';

const { url, requests, connections, seconds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let clients = 0;
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  timeout: 10,
  // Each connection begins elsewhere, so that they do not all ask for the same at once.
  setupClient: (client) => {
    const start = Math.floor((clients * requests.length) / connections) % requests.length;
    clients += 1;
    client.setRequests([...requests.slice(start), ...requests.slice(0, start)]);
  },
});
const answered = result.requests.total;
process.stdout.write(
  JSON.stringify({
    requests: answered,
    perSecond: answered / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.non2xx + result.errors + result.timeouts,
  }),
);
