import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually.js';

type Value = string | number | boolean | undefined;

/** A span as it came over the wire. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentSpanId: string;
  name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client. */
  kind: number;
  attributes: Record<string, Value>;
  /** Whether its status is ERROR. */
  isError: boolean;
  /** Text of its status, its events and its `tracestate`: there should be none. */
  more: string[];
  resource: Record<string, Value>;
}

/** An OpenTelemetry collector that keeps what it is sent. */
export interface Collector {
  /** Its base, as OTEL_EXPORTER_OTLP_ENDPOINT has it. */
  endpoint: string;
  /** What traces are posted to. */
  url: string;
  spans(): CollectedSpan[];
  /** The headers of every request. */
  headers(): IncomingHttpHeaders[];
  /** Everything that was received, byte for byte, and in headers. */
  received(): string;
  /** What it answers from now on; null: nothing at all. */
  answer(status: number | null): void;
  /** Waits until the trace of a request is there with its server span; answers that and its children, in order of their names. */
  traceOf(requestId: string | null): Promise<{ server: CollectedSpan; children: CollectedSpan[] }>;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let received = '';
  let status: number | null = 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      headers.push(request.headers);
      received += `${request.url}\n${JSON.stringify(request.headers)}\n${body.toString('latin1')}\n`;
      if (request.url === '/v1/traces' && status === 200) spans.push(...spansOf(body));
      if (status !== null) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    url: `${endpoint}/v1/traces`,
    spans: () => spans,
    headers: () => headers,
    received: () => received,
    answer: (next) => (status = next),
    traceOf: async (requestId) => {
      const find = () =>
        spans.find(({ attributes }) => attributes['claviger.request_id'] === requestId);
      const root = await eventually(() => Promise.resolve(find()));
      const children = spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
      children.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { server: root, children };
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** The parts of opentelemetry/proto/collector/trace/v1/trace_service.proto that tests look at. */
function spansOf(body: Buffer): CollectedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const resource = messages(resourceSpans, 1).map((one) => attributesOf(one, 1))[0] ?? {};
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => spanOf(span, resource));
  });
}

function spanOf(span: Buffer, resource: Record<string, Value>): CollectedSpan {
  const [traceId, spanId, parentSpanId] = [1, 2, 4].map((field) => messages(span, field)[0]);
  const [status = Buffer.alloc(0)] = messages(span, 15);
  const more = [...messages(span, 3), ...messages(status, 2), ...messages(span, 11)];
  return {
    traceId: traceId!.toString('hex'),
    spanId: spanId!.toString('hex'),
    parentSpanId: parentSpanId?.toString('hex') ?? '',
    name: messages(span, 5)[0]!.toString(),
    kind: Number(fieldsOf(span).find(({ field }) => field === 6)?.value),
    attributes: attributesOf(span, 9),
    isError: fieldsOf(status).some(({ field, value }) => field === 3 && value === 2n),
    more: more.map(String).filter((text) => text !== ''),
    resource,
  };
}

function attributesOf(message: Buffer, field: number): Record<string, Value> {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [value] = fieldsOf(messages(pair, 2)[0]!);
      return [messages(pair, 1)[0]!.toString(), valueOf(value)];
    }),
  );
}

/** AnyValue: 1 text, 2 boolean, 3 whole number. */
function valueOf(value: Field | undefined): Value {
  if (value?.field === 1) return String(value.value);
  if (value?.field === 2) return value.value === 1n;
  return value?.field === 3 ? Number(value.value) : undefined;
}

interface Field {
  field: number;
  value: bigint | Buffer;
}

/** The fields of length-delimited type with this number. */
function messages(message: Buffer, field: number): Buffer[] {
  return fieldsOf(message).flatMap((one) =>
    one.field === field && Buffer.isBuffer(one.value) ? [one.value] : [],
  );
}

/** The wire format of protocol buffers: a tag and a value after the other. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = Number(varint());
    const type = tag & 7;
    const value = type === 0 ? varint() : bytes(type === 1 ? 8 : type === 5 ? 4 : Number(varint()));
    fields.push({ field: tag >> 3, value });
  }
  return fields;
}
