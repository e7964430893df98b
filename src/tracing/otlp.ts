import { Logger } from '@nestjs/common';
import { diag, type DiagLogger, DiagLogLevel } from '@opentelemetry/api';
import { ExportResultCode, parseKeyPairsIntoRecord } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ExportLog } from './export-log.js';
import { RequestTraces } from './request-traces.js';
import type { Tracing } from './tracing.js';
import type { TracingConfig } from './tracing-config.js';

const NAME = 'claviger';

/**
 * Traces that are sent by OTLP over HTTP, as protobuf. Sampler, limits, batches, time-outs and certificates are what the SDK's own
 * variables say. `scheme`: what clients use, `http` or `https`.
 */
export function openOtlp({ url, headers }: TracingConfig, scheme: string): Tracing {
  const log = new ExportLog(new Logger('Tracing'));
  diag.setLogger(diagnostics(log), {
    logLevel: DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
  const version = ownVersion();
  const exporter = new OTLPTraceExporter({
    url,
    ...(headers === undefined ? {} : { headers: parseKeyPairsIntoRecord(headers) }),
  });
  const provider = new BasicTracerProvider({
    resource: resourceOf(version),
    spanProcessors: [new BatchSpanProcessor(reporting(exporter, log))],
  });
  const tracer = provider.getTracer(NAME, version);
  return new RequestTraces(tracer, () => provider.shutdown(), scheme);
}

/** Variables say more, and may say otherwise. */
function resourceOf(version: string): Resource {
  return defaultResource()
    .merge(
      resourceFromAttributes({
        [ATTR_SERVICE_NAME]: NAME,
        [ATTR_SERVICE_VERSION]: version,
        [ATTR_SERVICE_INSTANCE_ID]: randomUUID(),
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
}

/** What fails has been said and is lost: the processor, which could do no better, only hears of success. */
function reporting(exporter: SpanExporter, log: ExportLog): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, ({ code, error }) => {
        if (code === ExportResultCode.SUCCESS) log.succeeded();
        else log.failed(error, spans.length);
        done({ code: ExportResultCode.SUCCESS });
      }),
    shutdown: () => exporter.shutdown(),
  };
}

function diagnostics(log: ExportLog): DiagLogger {
  const say = (text: string): void => log.warned(text);
  const nothing = (): void => undefined;
  return { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing };
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
