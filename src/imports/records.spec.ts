import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { blocksOf, MAX_RECORD_BYTES } from './records.js';

/** A file that arrives in pieces of so many bytes. */
async function* piecesOf(file: Buffer, size: number): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let start = 0; start < file.length; start += size) yield file.subarray(start, start + size);
}

async function read(text: string | Buffer, { quoted = true, size = 7 } = {}) {
  const lines: number[] = [];
  let all = '';
  for await (const block of blocksOf(piecesOf(Buffer.from(text as string), size), { quoted })) {
    lines.push(...block.lines);
    all += block.text;
  }
  return { lines, text: all };
}

/** What makes cutting hard, and characters of every length in UTF-8. */
const file = fc
  .array(fc.constantFrom('a', '"', '\n', '\r\n', ',', 'é', '€', '😀'))
  .map((parts) => parts.join(''));

describe('blocksOf', () => {
  it('gives every record that is not empty, with its line, whatever the pieces and without the mark', async () => {
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (text, size, mark) => {
          const { lines, text: back } = await read((mark ? '\ufeff' : '') + text, {
            quoted: false,
            size,
          });
          const records = text.split(/\r?\n/);
          expect(lines).toEqual(records.flatMap((record, index) => (record ? [index + 1] : [])));
          expect(back.split(/\r?\n/).filter(Boolean)).toEqual(records.filter(Boolean));
        },
      ),
    );
  });

  it('does not cut within quotes', async () => {
    expect((await read('a,"b\n\nc ""d"" "\n\n"e"\nf')).lines).toEqual([1, 5, 6]);
  });

  it.each([1, 3, 65_536])(
    'names the line that is not UTF-8, in pieces of %i bytes',
    async (size) => {
      const bytes = Buffer.concat([
        Buffer.from('é\n"a\nb"\n'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('\n€'),
      ]);
      await expect(read(bytes, { size })).rejects.toMatchObject({
        code: 'invalid_utf8',
        detail: 'Line 4 is not valid UTF-8.',
      });
    },
  );

  it('takes a record of 64 KiB and no more', async () => {
    const longest = 'x'.repeat(MAX_RECORD_BYTES);
    for (const end of ['', '\n', '\r\n']) {
      const { lines } = await read(`a\n${longest}${end}`, { size: 1_000 });
      expect(lines).toEqual([1, 2]);
      await expect(read(`a\n${longest}x${end}`, { size: 1_000 })).rejects.toMatchObject({
        code: 'record_too_long',
        detail: 'The row on line 2 has more than 64 KiB.',
      });
    }
  });

  it.each([false, true])('gives a line without an end up early (quoted: %p)', async (quoted) => {
    let pieces = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      await Promise.resolve();
      if (quoted) yield Buffer.from('"');
      for (; ; pieces += 1) yield Buffer.alloc(1_000, quoted ? 'x\n' : 'x');
    }
    const reading = async () => {
      for await (const block of blocksOf(endless(), { quoted })) expect(block.lines).toEqual([]);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'record_too_long' });
    expect(pieces).toBeLessThan(MAX_RECORD_BYTES / 1_000 + 2);
  });

  it('names the row whose quote is never closed', async () => {
    await expect(read('a\n"b"\n"c\nd\n')).rejects.toMatchObject({
      code: 'quote_not_closed',
      detail: expect.stringContaining('line 3'),
    });
  });
});
