import { describe, expect, it } from '@jest/globals';
import { Peer } from './peer.js';

/** Two ends of one channel, which carries JSON as that between processes does. */
function twoPeers(): [Peer, Peer] {
  const peers: Peer[] = [];
  const sendTo = (other: number) => (message: object) =>
    setImmediate(() => peers[other]!.receive(JSON.parse(JSON.stringify(message))));
  peers.push(new Peer(sendTo(1)), new Peer(sendTo(0)));
  return peers as [Peer, Peer];
}

const LISTENING = { port: 3000 };

describe('a peer', () => {
  it('gets each answer to its own question, whatever order they come in', async () => {
    const [one, other] = twoPeers();
    const late: (() => void)[] = [];
    other.on('count', async ([key]) => {
      if (key === 'first') await new Promise<void>((resolve) => late.push(resolve));
      else late.forEach((answer) => answer());
      return [{ consumedPoints: key!.length, msBeforeNext: 1 }];
    });
    const answers = await Promise.all([
      one.ask('count', ['first'], 5_000),
      one.ask('count', ['other one'], 5_000),
    ]);
    expect(answers.map(([count]) => count!.consumedPoints)).toEqual([5, 9]);
  });

  it('hears at once that the other one failed, or does not know the topic', async () => {
    const [one, other] = twoPeers();
    other.on('count', () => Promise.reject(new Error('out of order')));
    await expect(one.ask('count', [], 60_000)).rejects.toThrow('count');
    await expect(one.ask('measure', null, 60_000)).rejects.toThrow('measure');
  });

  it('hears at once that the other one has gone', async () => {
    const gone = new Peer((_, failed) => failed(new Error('the channel is closed')));
    await expect(gone.ask('listening', LISTENING, 60_000)).rejects.toThrow('closed');
  });

  it('does not wait for a silent one for ever', async () => {
    const silent = new Peer(() => undefined);
    await expect(silent.ask('listening', LISTENING, 1)).rejects.toThrow('no answer');
  });
});
