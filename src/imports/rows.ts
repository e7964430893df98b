import { CsvError, parse } from 'csv-parse/sync';
import { badRequest, type FieldError, type Problem } from '../http/problem.js';
import { JsonRefusedError, parseStrictJson } from '../http/strict-json.js';
import { type Block, blocksOf } from './records.js';

/** What a file is made of. */
export type ImportFormat = 'csv' | 'ndjson';

/** One row of a file. */
export interface Row {
  /** The line on which it begins, from 1. */
  line: number;
  /** What it says, as JSON would; not yet validated. */
  value?: unknown;
  /** Why it says nothing. */
  faults?: FieldError[];
}

const REQUIRED = ['email', 'name', 'role'];
const JSON_COLUMN = 'attributes';
const ATTRIBUTE_COLUMN = /^attributes\.([a-zA-Z0-9._/-]{1,63})$/;

/**
 * The rows of a file, block by block. The columns of CSV are `email`, `name`, `role`, and as many `attributes.<name>` (text;
 * an empty cell is no attribute) or one `attributes` (a JSON object) as one likes, in any order.
 * Errors: those of `blocksOf`; 400 `invalid_csv` naming the line, `missing_column`, `duplicate_column`, `unknown_column`.
 */
export async function* rowsOf(
  format: ImportFormat,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Row[], void> {
  const blocks = blocksOf(source, { quoted: format === 'csv' });
  if (format === 'csv') yield* csvRows(blocks);
  else for await (const block of blocks) yield ndjsonRows(block);
}

/**
 * Looks through a whole file for what cannot be told row by row, before anything is done with it. Errors: as {@link rowsOf}.
 */
export async function checkFile(
  format: ImportFormat,
  source: AsyncIterable<Buffer>,
): Promise<void> {
  // JSON is told row by row.
  const parts = format === 'csv' ? rowsOf(format, source) : blocksOf(source, { quoted: false });
  while (!(await parts.next()).done);
}

function ndjsonRows({ text, lines }: Block): Row[] {
  const records = text.split(/\r?\n/).filter((record) => record !== '');
  return lines.map((line, index) => ({ line, ...jsonOf(records[index] ?? '') }));
}

function jsonOf(text: string, pointer = ''): { value?: unknown; faults?: FieldError[] } {
  try {
    return { value: parseStrictJson(text) };
  } catch (error) {
    if (!(error instanceof JsonRefusedError)) throw error;
    const { fault } = error;
    const detail = fault.code === 'invalid_json' ? 'Must be valid JSON.' : fault.detail;
    return { faults: [{ ...fault, pointer: pointer + fault.pointer, detail }] };
  }
}

async function* csvRows(blocks: AsyncIterable<Block>): AsyncGenerator<Row[], void> {
  let header: string[] | undefined;
  for await (const block of blocks) {
    const records = recordsOf(block);
    if (header === undefined) {
      header = checkedHeader(records.shift() ?? []);
      block.lines.shift();
    }
    const columns = header;
    yield records.map((cells, index) => csvRow(block.lines[index]!, columns, cells));
  }
  if (header === undefined) throw missingColumns(REQUIRED);
}

function recordsOf({ text, lines }: Block): string[][] {
  try {
    return cellsOf(text);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The block is whole records, so the error's line counts from its first; its own records are told apart by number.
    const line = lines[error.records as number] ?? lines.at(-1);
    throw badRequest('invalid_csv', `The row on line ${line} has a quote in the wrong place.`);
  }
}

function cellsOf(text: string): string[][] {
  return parse(text, {
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
  });
}

function checkedHeader(names: string[]): string[] {
  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length > 0) throw missingColumns(missing);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw badRequest('duplicate_column', `The column ${shown(twice)} is there twice.`);
  }
  const unknown = names.find((name) => !isColumn(name));
  if (unknown !== undefined) {
    const known = `${REQUIRED.join(', ')}, ${JSON_COLUMN} and ${JSON_COLUMN}.<name>`;
    const detail = `There is no column ${shown(unknown)}; there are ${known}.`;
    throw badRequest('unknown_column', detail);
  }
  return names;
}

function isColumn(name: string): boolean {
  if (REQUIRED.includes(name) || name === JSON_COLUMN) return true;
  const attribute = ATTRIBUTE_COLUMN.exec(name)?.[1];
  return attribute !== undefined && attribute !== '__proto__';
}

function csvRow(line: number, header: string[], cells: string[]): Row {
  if (cells.length !== header.length) {
    const detail = `The row has ${cells.length} cells, the header ${header.length}.`;
    return { line, faults: [{ pointer: '', code: 'wrong_cell_count', detail }] };
  }
  const value: Record<string, unknown> = {};
  let attributes: Record<string, unknown> | undefined;
  for (const [index, name] of header.entries()) {
    const cell = cells[index] ?? '';
    const attribute = ATTRIBUTE_COLUMN.exec(name)?.[1];
    if (attribute !== undefined) {
      attributes ??= {};
      if (cell !== '') attributes[attribute] = cell;
    } else if (name !== JSON_COLUMN) value[name] = cell;
    else {
      const json = cell === '' ? { value: {} } : jsonOf(cell, `/${JSON_COLUMN}`);
      if (json.faults !== undefined) return { line, value, faults: json.faults };
      // What is no object is told by the validation.
      if (!isObject(json.value)) return { line, value: { ...value, [JSON_COLUMN]: json.value } };
      attributes = { ...json.value, ...attributes };
    }
  }
  return { line, value: attributes === undefined ? value : { ...value, attributes } };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function missingColumns(names: string[]): Problem {
  const detail = `The first line must name the columns; missing: ${names.join(', ')}.`;
  return badRequest('missing_column', detail);
}

/** A name that the client chose, for a message. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
