import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCheckpoint } from '../src/audit/checkpoint.js';

const BUILT = join(import.meta.dirname, '../dist/audit/checkpoint-log.js');
const PROCESSES = 3;
const BATCHES = 15;
/** More than Node writes with one call. */
const CHAINS = 3_000;

/** What a process of its own does: it appends large batches, one after the other. */
const APPEND = `
  const [, built, file, writer] = process.argv;
  const { appendSigned } = await import(built);
  for (let batch = 0; batch < ${BATCHES}; batch += 1) {
    await appendSigned(file, Array.from({ length: ${CHAINS} }, (_, index) => ({
      checkpoint: {
        instance: 'i'.repeat(36), chain: 'org_' + writer + '_' + index, sequence: batch,
        hash: 'f'.repeat(64), at: '2026-11-25T12:00:00.000Z',
      },
      key: 'k'.repeat(43), signature: 's'.repeat(86),
    })));
  }`;

function append(file: string, writer: number): Promise<number | null> {
  const args = ['--input-type=module', '--eval', APPEND, BUILT, file, String(writer)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve) => child.on('close', resolve));
}

describe('checkpoints.log', () => {
  it('has whole lines only, though several processes append to it at once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-checkpoints-'));
    const file = join(directory, 'checkpoints.log');
    try {
      const writers = Array.from({ length: PROCESSES }, (_, writer) => append(file, writer));
      expect(await Promise.all(writers)).toEqual(Array(PROCESSES).fill(0));
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(lines.filter((line) => parseCheckpoint(line) === undefined)).toEqual([]);
      expect(lines).toHaveLength(PROCESSES * BATCHES * CHAINS);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);
});
