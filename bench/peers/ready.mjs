/**
 * Tells the benchmark, in one line of standard output, where the server listens.
 * @param {import('node:net').Server} server that listens
 * @param {object} [details] whatever else the benchmark has to know
 */
export function ready(server, details = {}) {
  const url = `http://127.0.0.1:${server.address().port}`;
  process.stdout.write(`${JSON.stringify({ url, ...details })}\n`);
}
