import { describe, expect, it } from '@jest/globals';
import { ndjson } from '../src/ndjson.js';

/** A stream of these pieces, and whether it was given up. */
function aStream(pieces: Uint8Array[], end?: Error) {
  const seen = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (end) controller.error(end);
      else controller.close();
    },
    cancel: () => void (seen.cancelled = true),
  });
  return { stream, seen };
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function rowsOf(stream: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of ndjson(stream)) rows.push(row);
  return rows;
}

describe('ndjson', () => {
  it('puts rows and letters together that arrive in pieces', async () => {
    const all = bytes('{"name":"Zoë"}\n{"name":"b"}\n');
    for (let cut = 1; cut < all.length; cut += 1) {
      const { stream } = aStream([all.slice(0, cut), all.slice(cut)]);
      expect(await rowsOf(stream)).toEqual([{ name: 'Zoë' }, { name: 'b' }]);
    }
  });

  it('reads a last row without a line feed', async () => {
    expect(await rowsOf(aStream([bytes('1\n2')]).stream)).toEqual([1, 2]);
  });

  it('throws when the connection breaks, after the rows before it', async () => {
    const { stream } = aStream([bytes('1\n2')], new Error('terminated'));
    const rows: unknown[] = [];
    const reading = (async () => {
      for await (const row of ndjson(stream)) rows.push(row);
    })();
    await expect(reading).rejects.toThrow('terminated');
    expect(rows).toEqual([1]);
  });

  it('gives the download up when nobody reads on', async () => {
    const { stream, seen } = aStream([bytes('1\n2\n'), bytes('3\n')]);
    for await (const row of ndjson(stream)) {
      expect(row).toBe(1);
      break;
    }
    expect(seen.cancelled).toBe(true);
  });
});
