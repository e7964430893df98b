/**
 * The rows of an export in NDJSON, parsed as they come. Throws what the stream throws: a connection that ended early has
 * not delivered all rows.
 */
export async function* ndjson<Row = unknown>(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Row, void, undefined> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
      rest = done ? '' : lines.pop()!;
      for (const line of lines) if (line !== '') yield JSON.parse(line) as Row;
      if (done) return;
    }
  } finally {
    // Who stops reading early stops the download too.
    await reader.cancel().catch(() => undefined);
  }
}
