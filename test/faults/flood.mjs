// A process of its own, so that the one that measures has its event loop to itself: opens sockets, sends so many requests
// at once on each, and prints how many answers there were of each status, and how many 503s without Retry-After.
//   node flood.mjs <port> <token> <sockets> <requests on each>
import { connect } from 'node:net';

const [port, token, sockets, requests] = process.argv.slice(2);
const request = `GET /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
const everything = request.repeat(Number(requests));
const figures = { statuses: {}, lost: 0, withoutRetryAfter: 0 };

await Promise.all(Array.from({ length: Number(sockets) }, flood));
process.stdout.write(JSON.stringify(figures));

function flood() {
  return new Promise((resolve) => {
    let [answers, rest] = [0, ''];
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(everything));
    socket.on('data', (chunk) => {
      const heads = (rest + chunk.toString('latin1')).split('\r\n\r\n');
      rest = heads.pop();
      for (const head of heads) answers += note(head);
      if (answers === Number(requests)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      figures.lost += Number(requests) - answers;
      resolve();
    });
  });
}

/** Bodies have no empty line: what is between two of them is the body before, and a head. */
function note(head) {
  const status = /HTTP\/1\.1 (\d+)/.exec(head)?.[1];
  if (status === undefined) return 0;
  figures.statuses[status] = (figures.statuses[status] ?? 0) + 1;
  if (status === '503' && !/^retry-after: \d/im.test(head)) figures.withoutRetryAfter += 1;
  return 1;
}
