import { beforeEach, describe, expect, it } from '@jest/globals';
import { createToken, obfuscateToken } from './crypto/token.js';
import { newId } from './crypto/id.js';
import { createLogger, logRequest, NestLogger, type Logger } from './logging.js';

const token = createToken('clv', 'key', newId('key'));
const secret = token.slice(-49, -6);
const shown = obfuscateToken(token);

let output: string;
let logger: Logger;

beforeEach(() => {
  output = '';
  logger = createLogger({ logLevel: 'trace' }, { write: (text) => void (output += text) });
});

/** The entries written so far; every one must be a line of its own. */
function entries(): Record<string, unknown>[] {
  expect(output === '' || output.endsWith('\n')).toBe(true);
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('createLogger', () => {
  it('writes a JSON object per entry with time, level and message', () => {
    logger.warn({ keyId: 'key_x' }, 'expires soon');
    expect(entries()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        pid: process.pid,
        keyId: 'key_x',
        msg: 'expires soon',
      },
    ]);
  });

  it('keeps to its level', () => {
    const quiet = createLogger({ logLevel: 'warn' }, { write: (text) => void (output += text) });
    quiet.info('no');
    quiet.error('yes');
    expect(entries().map((entry) => entry.msg)).toEqual(['yes']);
    const silent = createLogger({ logLevel: 'silent' }, { write: (text) => void (output += text) });
    silent.fatal('no');
    expect(entries()).toHaveLength(1);
  });

  const hostile = 'a\r\nb\n{"level":"fatal"}\u001b[31mred\u001b[0m\u009b2J\u2028\u0000"\\';
  it.each<[string, () => void, (entry: Record<string, unknown>) => unknown]>([
    ['a message', () => logger.info(hostile), (entry) => entry.msg],
    ['a field', () => logger.info({ name: hostile }), (entry) => entry.name],
    [
      'a nested field',
      () => logger.info({ a: [{ b: hostile }] }),
      (entry) => (entry.a as { b: string }[])[0]?.b,
    ],
    ['an argument', () => logger.info('%s', hostile), (entry) => entry.msg],
    ['a binding', () => logger.child({ name: hostile }).info('x'), (entry) => entry.name],
    ['an error', () => logger.error(new Error(hostile)), (entry) => (entry.err as Error).message],
    ['a short field', () => logger.info({ name: '\u001b\n' }), (e) => e.name && hostile],
  ])('keeps %s with CR, LF and ANSI on one line', (_what, log, read) => {
    log();
    expect(output.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/);
    expect(entries()).toHaveLength(1);
    expect(read(entries()[0]!)).toBe(hostile);
  });

  it('keeps a hostile name of a field on one line too', () => {
    logger.info({ 'a\n"b': 1, nested: { 'c\u001b': 2 } });
    expect(entries()).toMatchObject([{ a__b: 1, nested: { c_: 2 } }]);
  });
});

const canary = 'canary-hunter2';
/** An error with secrets in every place where libraries put them. */
const error = (): Error =>
  Object.assign(new Error(`bad ${token}`, { cause: new Error(`deep ${token}`) }), {
    request: { headers: { authorization: canary }, body: { password: canary } },
    config: { password: canary },
  });

/** A child whose bindings were set after it was made. */
function withBindings(bindings: Record<string, unknown>): Logger {
  const child = logger.child({});
  child.setBindings(bindings);
  return child;
}

describe('canaries at level trace', () => {
  const surplus = [{ password: canary }, token] as unknown as [];
  const cases: [string, () => void][] = [
    ['a message', () => logger.trace(`Bearer ${token}`)],
    ['an argument', () => logger.trace('got %s and %j', token, { token, value: token })],
    [
      'an argument that is an object',
      () => logger.trace('%o %O', { password: canary, token }, { token }),
    ],
    ['surplus arguments', () => logger.trace('x', ...surplus)],
    ['a field', () => logger.trace({ value: token, password: canary })],
    ['a nested field', () => logger.trace({ a: { b: [{ c: token, Authorization: canary }] } })],
    ['the name of a field', () => logger.trace({ [token]: 1 })],
    ['an error', () => logger.trace(error())],
    ['an error in a field', () => logger.trace({ err: error(), reason: error() }, 'x')],
    ['an error as an argument', () => logger.trace('x %o', error())],
    ['a binding', () => logger.child({ value: token, password: canary }).trace('x')],
    [
      'a second binding',
      () =>
        logger
          .child({})
          .child({ a: { cookie: canary, token } })
          .trace('x'),
    ],
    ['a binding set later', () => withBindings({ a: token, password: canary }).trace('x')],
    ['headers and bodies', () => logger.trace({ req: { headers: { a: canary }, body: canary } })],
    ['a cut token', () => logger.trace({ path: `/v1?x=${token.slice(0, -12)}` })],
    ['bytes', () => logger.trace({ value: Buffer.from(canary), key: Buffer.from(token) })],
    ['Nest: a message', () => new NestLogger(logger).verbose(token, { password: canary }, 'Ctx')],
    ['Nest: an error', () => new NestLogger(logger).error(error(), error().stack, 'Ctx')],
    ['Nest: an object', () => new NestLogger(logger).log({ token, a: token, password: canary })],
  ];

  it.each(cases)('shows none of %s', (_what, log) => {
    log();
    expect(entries()).toHaveLength(1);
    expect(output).not.toContain(secret.slice(0, 20));
    expect(output).not.toContain(canary);
    expect(output).not.toContain(JSON.stringify(Buffer.from(canary)).slice(20, 40));
  });
});

describe('what redaction leaves', () => {
  it('leaves the obfuscated form to search for', () => {
    logger.trace({ value: token }, `Bearer ${token}`);
    expect(entries()).toMatchObject([{ value: shown, msg: `Bearer ${shown}` }]);
  });

  it('keeps what an error says, its stack and its cause', () => {
    logger.error({ err: error() }, 'failed');
    const [entry] = entries() as { err: { stack: string; cause: unknown } }[];
    expect(entry).toMatchObject({
      msg: 'failed',
      err: { type: 'Error', message: `bad ${shown}`, cause: { message: `deep ${shown}` } },
    });
    expect(entry!.err.stack).toContain('\n    at ');
  });
});

describe('logRequest', () => {
  it('writes one line at info with these five fields only', () => {
    const fields = {
      requestId: 'req_x',
      method: 'GET',
      route: '/v1/me',
      status: 200,
      durationMs: 1.23456,
      headers: { authorization: token },
      path: '/v1/me?q=private',
    };
    logRequest(logger, fields);
    const [{ time, pid, ...rest } = {}] = entries();
    expect({ time, pid }).toEqual({ time: expect.any(String), pid: process.pid });
    expect(rest).toEqual({
      level: 'info',
      msg: 'request',
      requestId: 'req_x',
      method: 'GET',
      route: '/v1/me',
      status: 200,
      durationMs: 1.23,
    });
  });
});

describe('NestLogger', () => {
  it('maps levels, context and stack', () => {
    const nest = new NestLogger(logger);
    const stack = 'Error: x\n    at somewhere (file.js:1:1)';
    nest.log('started', 'App');
    nest.error('failed', stack, 'App');
    nest.error('failed', stack);
    nest.error('failed', undefined, 'App');
    nest.warn('hm');
    nest.debug('d', { a: 1 }, 'App');
    nest.verbose('v');
    nest.fatal(new Error('end'), 'App');
    expect(entries().map(({ time: _time, pid: _pid, ...entry }) => entry)).toMatchObject([
      { level: 'info', msg: 'started', context: 'App' },
      { level: 'error', msg: 'failed', context: 'App', stack },
      { level: 'error', msg: 'failed', stack },
      { level: 'error', msg: 'failed', context: 'App' },
      { level: 'warn', msg: 'hm' },
      { level: 'debug', msg: 'd', context: 'App', details: [{ a: 1 }] },
      { level: 'trace', msg: 'v' },
      { level: 'fatal', msg: 'end', context: 'App', err: { message: 'end' } },
    ]);
  });

  it('takes a percent sign in a message for what it is', () => {
    new NestLogger(logger).log('100%s done', 'App');
    expect(entries()).toMatchObject([{ msg: '100%s done', context: 'App' }]);
  });
});
