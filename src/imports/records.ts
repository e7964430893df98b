import { isUtf8 } from 'node:buffer';
import { badRequest, type Problem } from '../http/problem.js';

/** The longest line, or record of CSV with all the lines within its quotes, in bytes. */
export const MAX_RECORD_BYTES = 65_536;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Some whole records. */
export interface Block {
  text: string;
  /** The line, from 1, on which each record begins; empty lines are no records. */
  lines: number[];
}

/**
 * Cuts a file into records at its line ends (LF or CRLF), in as much memory as the longest record takes. With `quoted` a
 * line end between quotes is none (RFC 4180). A byte order mark is skipped. Errors: 400 `invalid_utf8`, `record_too_long`,
 * `quote_not_closed`, each naming the line.
 */
export async function* blocksOf(
  source: AsyncIterable<Buffer>,
  { quoted }: { quoted: boolean },
): AsyncGenerator<Block, void> {
  const splitter = new Splitter(quoted);
  for await (const chunk of source) {
    const block = splitter.push(chunk);
    if (block.lines.length > 0) yield block;
  }
  const last = splitter.end();
  if (last.lines.length > 0) yield last;
}

class Splitter {
  private rest: Buffer = Buffer.alloc(0);
  /** How much of the rest has been looked at. */
  private scanned = 0;
  private line = 1;
  private recordLine = 1;
  private inQuotes = false;
  private isFirst = true;

  constructor(private readonly quoted: boolean) {}

  push(chunk: Buffer): Block {
    let bytes = Buffer.concat([this.rest, chunk]);
    if (this.isFirst && bytes.length < BOM.length) {
      this.rest = bytes;
      return { text: '', lines: [] };
    }
    if (this.isFirst && bytes.subarray(0, BOM.length).equals(BOM)) bytes = bytes.subarray(3);
    this.isFirst = false;
    return this.cut(bytes);
  }

  end(): Block {
    if (this.rest.length === 0) return { text: '', lines: [] };
    // As if the last line had an end, which is not counted.
    const block = this.cut(Buffer.concat([this.rest, Buffer.from('\n')]));
    if (this.inQuotes) throw quoteNotClosed(this.recordLine);
    return block;
  }

  private cut(bytes: Buffer): Block {
    const firstLine = this.recordLine;
    const lines: number[] = [];
    let start = 0;
    for (let index = this.scanned; index < bytes.length; index += 1) {
      const byte = bytes[index];
      if (byte === QUOTE && this.quoted) this.inQuotes = !this.inQuotes;
      if (byte !== NEWLINE) continue;
      this.line += 1;
      if (this.inQuotes) continue;
      const length = index - start - (bytes[index - 1] === RETURN ? 1 : 0);
      if (length > MAX_RECORD_BYTES) throw tooLong(this.recordLine);
      if (length > 0) lines.push(this.recordLine);
      start = index + 1;
      this.recordLine = this.line;
    }
    this.rest = bytes.subarray(start);
    this.scanned = this.rest.length;
    // One more for a carriage return whose line end has not arrived yet.
    if (this.rest.length > MAX_RECORD_BYTES + 1) throw tooLong(this.recordLine);
    const records = bytes.subarray(0, start);
    if (!isUtf8(records)) throw invalidUtf8(records, firstLine);
    return { text: records.toString('utf8'), lines };
  }
}

/** No byte of a longer UTF-8 sequence is a line end, so each line is good or bad by itself. */
function invalidUtf8(bytes: Buffer, firstLine: number): Problem {
  let line = firstLine;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(NEWLINE, start);
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  return badRequest('invalid_utf8', `Line ${line} is not valid UTF-8.`);
}

function tooLong(line: number): Problem {
  const detail = `The row on line ${line} has more than ${MAX_RECORD_BYTES / 1_024} KiB.`;
  return badRequest('record_too_long', detail);
}

function quoteNotClosed(line: number): Problem {
  const detail = `A quote is opened in the row on line ${line} and never closed.`;
  return badRequest('quote_not_closed', detail);
}
