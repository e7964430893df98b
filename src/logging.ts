import type { LoggerService } from '@nestjs/common';
import { pino, type ChildLoggerOptions, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.js';
import { loggable, loggableFields, loggableLine } from './log-redaction.js';

export type { Logger } from 'pino';

/** Nest's own contexts that report on the start. */
const START_UP = new Set<unknown>([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** What one line of the request log says. Neither the path (it may hold anything) nor a header or body. */
export interface RequestLogFields {
  requestId: string;
  method: string;
  /** The route's template, `/v1/organizations/:organizationId`. */
  route: string;
  status: number;
  durationMs: number;
}

/**
 * Makes the logger of the process: one JSON object per line, to stdout unless told otherwise. Whatever is
 * logged passes through the redaction: tokens are obfuscated in every string, fields that are secret by
 * their name are dropped at any depth, and so are headers and bodies; no value can break or colour a line.
 */
export function createLogger(
  config: Pick<Config, 'logLevel'>,
  destination: DestinationStream = pino.destination(1),
): Logger {
  const logger = pino(
    {
      level: config.logLevel,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (level) => ({ level }),
        log: loggableFields,
      },
      // Pino's own would take the cleaned error for an error and write over it.
      serializers: { err: (error: unknown) => error },
      hooks: {
        // The first argument goes through formatters.log; those for %s, %o and %j would not.
        logMethod(parameters, method) {
          const [first, ...rest] = parameters;
          method.apply(this, [first, ...rest.map(loggable)] as typeof parameters);
        },
        streamWrite: loggableLine,
      },
    },
    destination,
  );
  redactBindings(logger);
  return logger;
}

/** Pino takes `formatters.bindings` away from children. They inherit these two methods instead. */
function redactBindings(logger: Logger): void {
  const child: ChildMethod = Reflect.get(logger, 'child');
  const setBindings: ChildMethod = Reflect.get(logger, 'setBindings');
  const redacting: Record<string, ChildMethod> = {
    child(bindings, options) {
      return child.call(this, loggableFields(bindings), options);
    },
    setBindings(bindings) {
      return setBindings.call(this, loggableFields(bindings));
    },
  };
  Object.assign(logger, redacting);
}

type ChildMethod = (this: Logger, bindings: object, options?: ChildLoggerOptions) => unknown;

/** Logs one request that was answered, at level info. Takes these five fields and nothing else. */
export function logRequest(logger: Logger, fields: RequestLogFields): void {
  const { requestId, method, route, status, durationMs } = fields;
  const rounded = Math.round(durationMs * 100) / 100;
  logger.info({ requestId, method, route, status, durationMs: rounded }, 'request');
}

/**
 * Lets Nest log through pino. Nest passes `(message, ...rest, context)` and for errors
 * `(message, stack, context)`; context and stack become fields, `verbose` becomes level trace.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  /** Level info; what Nest says of every module and route at every start, level debug. */
  log(message: unknown, ...rest: unknown[]): void {
    this.#write(START_UP.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  /** Level error. */
  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  /** Level warn. */
  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  /** Level debug. */
  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  /** Level trace. */
  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  /** Level fatal. */
  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  #write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const fields: Record<string, unknown> = {};
    const values = rest.filter((value) => value !== undefined);
    const isStack = (value: unknown) => typeof value === 'string' && /\n\s+at /.test(value);
    if (typeof values.at(-1) === 'string' && !isStack(values.at(-1))) fields.context = values.pop();
    // Nest logs what keeps an application from starting and throws it too; whoever starts it says so once.
    if (fields.context === 'ExceptionHandler') return;
    const stackAt = values.findIndex(isStack);
    if (stackAt >= 0) fields.stack = values.splice(stackAt, 1)[0];
    if (values.length > 0) fields.details = values;
    if (message instanceof Error) this.logger[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'string') this.logger[level](fields, message);
    else this.logger[level]({ ...fields, details: [message, ...values] });
  }
}
