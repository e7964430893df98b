import type { EnvironmentReader } from '../environment.js';

/** Where traces go. What else there is to say about them the SDK reads from the standard variables itself. */
export interface TracingConfig {
  /** What OTLP requests with spans are posted to. */
  url: string;
  /** Headers of these requests, `name=value` with commas between; there may be a credential in them. */
  headers?: string;
}

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const TRACES_PATH = 'v1/traces';
const HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS';
const PAIRS = 'name=value pairs, percent-encoded, with commas between';
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];
const ANY_NAME = /^\S+$/;
/** A token of RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^`|~\w]+$/;

/** Of variables that the SDK reads too, and would replace by a default without a word. */
const RIGHT: Record<string, [isRight: (text: string) => boolean, expected: string]> = {
  OTEL_EXPORTER_OTLP_PROTOCOL: [(text) => text === 'http/protobuf', 'http/protobuf'],
  OTEL_SERVICE_NAME: [() => true, 'a name'],
  OTEL_RESOURCE_ATTRIBUTES: [(text) => arePairs(text, ANY_NAME), PAIRS],
  OTEL_TRACES_SAMPLER: [(text) => SAMPLERS.includes(text), `one of ${SAMPLERS.join(', ')}`],
  OTEL_TRACES_SAMPLER_ARG: [isRatio, 'a number from 0 to 1, like 0.01'],
};

/**
 * Reads whether there are traces, and where they go. Without an endpoint nothing else is at fault: the same variables may be
 * there for other programs.
 */
export function readTracing(read: EnvironmentReader): TracingConfig | undefined {
  const expected = 'an http:// or https:// URL without user, query and fragment';
  const base = read.checked(ENDPOINT, urlOf, `${expected}, like http://localhost:4318`);
  const own = read.checked(TRACES_ENDPOINT, urlOf, expected);
  const isOn = read.isSet(ENDPOINT) || read.isSet(TRACES_ENDPOINT);
  const headers = read.secret(HEADERS)?.trim() || undefined;
  if (isOn && headers !== undefined && !arePairs(headers, HEADER_NAME)) {
    read.fault(HEADERS, `must be ${PAIRS}`);
  }
  for (const [name, [isRight, expected]] of Object.entries(RIGHT)) {
    const text = read.text(name);
    if (isOn && text !== undefined && !isRight(text)) read.fault(name, `must be ${expected}`);
  }
  const url = own ?? (base === undefined ? undefined : new URL(TRACES_PATH, asFolder(base)).href);
  return url === undefined ? undefined : { url, ...(headers === undefined ? {} : { headers }) };
}

function urlOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  return url.username !== '' || url.password !== '' || /[?#]/.test(text) ? undefined : url.href;
}

function asFolder(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

function isRatio(text: string): boolean {
  return /^(?:\d+\.?\d*|\.\d+)$/.test(text) && Number(text) <= 1;
}

/** As the SDK takes them: one that is no good spoils all. */
function arePairs(text: string, nameShape: RegExp): boolean {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return pairs.every((pair) => {
    const [name = '', value, ...more] = pair.split('=');
    if (value === undefined || !nameShape.test(name.trim())) return false;
    try {
      decodeURIComponent(pair);
      // Base64 of credentials ends so, and headers may have it.
      return more.length === 0 || nameShape === HEADER_NAME;
    } catch {
      return false;
    }
  });
}
