import { describe, expect, it } from '@jest/globals';
import { type Checkpoint, CheckpointSigner, isSigned, parseCheckpoint } from './checkpoint.js';

const CHECKPOINT: Checkpoint = {
  instance: '0d4c8f4e-3c39-4d8e-a9d3-0c5f0c1f2a77',
  chain: 'org_01h455vb4pex5vsknk084sn02q',
  sequence: 42,
  hash: 'ab'.repeat(32),
  at: '2026-11-25T12:00:00.000Z',
};

// RFC 8032 section 7.1, test 1.
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC = Buffer.from(
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  'hex',
);

const signer = new CheckpointSigner(SEED);

describe('CheckpointSigner', () => {
  it('has the public key of its seed', () => {
    expect(signer.publicKey).toBe(PUBLIC.toString('base64url'));
  });

  it('signs so that anybody can check it', () => {
    expect(isSigned(signer.sign(CHECKPOINT))).toBe(true);
    expect(isSigned(signer.sign({ ...CHECKPOINT, setBackFrom: 50 }))).toBe(true);
  });

  it.each<Partial<Checkpoint>>([
    { instance: 'another' },
    { chain: 'system' },
    { sequence: 43 },
    { hash: 'cd'.repeat(32) },
    { at: '2026-11-25T12:00:00.001Z' },
    { setBackFrom: 50 },
  ])('does not vouch for %j', (change) => {
    const signed = signer.sign(CHECKPOINT);
    expect(isSigned({ ...signed, checkpoint: { ...CHECKPOINT, ...change } })).toBe(false);
  });

  it('does not vouch for what another key has signed', () => {
    const other = new CheckpointSigner(Buffer.alloc(32, 1));
    const signed = { ...signer.sign(CHECKPOINT), key: other.publicKey };
    expect(isSigned(signed)).toBe(false);
    expect(isSigned({ ...signed, key: 'short' })).toBe(false);
  });
});

describe('parseCheckpoint', () => {
  it('reads what was signed', () => {
    const signed = signer.sign({ ...CHECKPOINT, setBackFrom: 50 });
    expect(parseCheckpoint(JSON.stringify(signed))).toEqual(signed);
  });

  it.each([
    '',
    '{"level":30,"msg":"a \\"checkpoint\\" of something"}',
    '{"checkpoint":null,"key":"","signature":""}',
    '{"checkpoint":{"chain":"system"},"key":"","signature":""}',
    JSON.stringify({ ...signer.sign(CHECKPOINT), key: 1 }),
    JSON.stringify(signer.sign({ ...CHECKPOINT, sequence: 1.5 })),
    '{"checkpoint":',
  ])('leaves out other lines: %s', (line) => {
    expect(parseCheckpoint(line)).toBeUndefined();
  });
});
