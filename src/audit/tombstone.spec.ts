import { describe, expect, it } from '@jest/globals';
import { CheckpointSigner, isSigned } from './checkpoint.js';
import { isSignedTombstone, parseTombstone, signTombstone, type Tombstone } from './tombstone.js';

const TOMBSTONE: Tombstone = {
  instance: '0d4c8f4e-3c39-4d8e-a9d3-0c5f0c1f2a77',
  chain: 'org_01h455vb4pex5vsknk084sn02q',
  sequence: 4711,
  hash: 'ab'.repeat(32),
  events: 1200,
  firstAt: '2025-10-01T00:00:12.345Z',
  lastAt: '2025-10-31T23:58:01.002Z',
  at: '2026-11-01T03:12:00.000Z',
};

const signer = new CheckpointSigner(Buffer.alloc(32, 3));

describe('a tombstone', () => {
  it('is signed so that anybody can check it', () => {
    expect(isSignedTombstone(signTombstone(signer, TOMBSTONE))).toBe(true);
  });

  it.each<Partial<Tombstone>>([
    { instance: 'another' },
    { chain: 'system' },
    { sequence: 4712 },
    { hash: 'cd'.repeat(32) },
    { events: 1201 },
    { firstAt: '2025-10-01T00:00:12.346Z' },
    { lastAt: '2025-10-31T23:58:01.003Z' },
    { at: '2026-11-01T03:12:00.001Z' },
  ])('that is not what was signed does not count: %j', (change) => {
    const signed = signTombstone(signer, TOMBSTONE);
    expect(isSignedTombstone({ ...signed, tombstone: { ...TOMBSTONE, ...change } })).toBe(false);
  });

  it('that names another key, or is signed as a checkpoint, does not count', () => {
    const signed = signTombstone(signer, TOMBSTONE);
    const other = new CheckpointSigner(Buffer.alloc(32, 1));
    expect(isSignedTombstone({ ...signed, key: other.publicKey })).toBe(false);
    const { instance, chain, sequence, hash, at } = TOMBSTONE;
    const checkpoint = { instance, chain, sequence, hash, at };
    expect(isSigned({ ...signed, checkpoint })).toBe(false);
    const { signature } = signer.sign(checkpoint);
    expect(isSignedTombstone({ ...signed, signature })).toBe(false);
  });

  it('is read from its line, and other lines are left out', () => {
    const signed = signTombstone(signer, TOMBSTONE);
    expect(parseTombstone(JSON.stringify(signed))).toEqual(signed);
    const others = [
      '',
      '{"msg":"a \\"tombstone\\""}',
      '{"tombstone":null,"key":"","signature":""}',
      '{"tombstone":',
      JSON.stringify({ ...signed, key: 1 }),
      JSON.stringify({ ...signed, tombstone: { ...TOMBSTONE, events: 1.5 } }),
    ];
    expect(others.map(parseTombstone).filter(Boolean)).toEqual([]);
  });
});
