import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Checkpoints } from '../src/audit/checkpoints.js';
import { eventually } from './eventually.js';
import { anOrganization } from './factories.js';
import { startServer, type TestServer } from './harness.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe('checkpoints', () => {
  it('are made when a chain has grown by 10,000 events, without waiting for the minute', async () => {
    const { id: chain } = await anOrganization(server);
    const checkpoints = server.app.get(Checkpoints);
    const printed: string[] = [];
    checkpoints.printTo((line) => printed.push(line));
    const grow = (sequence: bigint) => {
      checkpoints.note([{ chain, sequence, hash: Buffer.alloc(32, Number(sequence % 256n)) }]);
    };
    const stored = () =>
      server.database.system((tx) => tx.auditCheckpoint.findMany({ where: { chain } }));
    const places = (rows: { sequence: bigint }[]) => rows.map(({ sequence }) => sequence);
    const seen = (count: number) =>
      eventually(async () => {
        const rows = await stored();
        return rows.length >= count ? places(rows) : undefined;
      });

    grow(5n);
    grow(10_004n);
    expect(places(await stored())).toEqual([]);
    grow(10_005n);
    expect(await seen(1)).toEqual([10_005n]);
    grow(20_004n);
    expect(printed.filter((line) => line.includes(chain))).toHaveLength(1);
    grow(20_005n);
    expect(await seen(2)).toEqual([10_005n, 20_005n]);
  });
});
