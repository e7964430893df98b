import { describe, expect, it } from '@jest/globals';
import {
  asDatabaseError,
  DatabaseUnavailableError,
  isRetryable,
  isUniqueViolation,
  sqlState,
} from './errors.js';

/** As Prisma throws it: its own code, the driver's beneath. */
function prismaError(code: string, cause: object): Error {
  const driverAdapterError = Object.assign(new Error('driver'), { cause });
  return Object.assign(new Error('prisma'), { code, meta: { driverAdapterError } });
}

function driverError(code: string, message = 'failed', more: object = {}): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR', ...more });
}

describe('sqlState', () => {
  it('is found behind errors of Prisma, of the drivers, and behind causes', () => {
    expect(sqlState(prismaError('P2002', { originalCode: '23505' }))).toBe('23505');
    expect(sqlState(driverError('55P03'))).toBe('55P03');
    expect(sqlState(driverError('P0001'))).toBe('P0001');
    expect(sqlState(new Error('outer', { cause: driverError('40001') }))).toBe('40001');
  });

  it('is no code of Prisma or of the system', () => {
    for (const code of ['P2028', 'P1001', 'EPIPE', 'ECONNREFUSED']) {
      expect(sqlState(driverError(code))).toBeUndefined();
    }
    for (const nothing of [undefined, null, 'text', {}]) expect(sqlState(nothing)).toBeUndefined();
  });

  it('ends on errors that are their own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(sqlState(error)).toBeUndefined();
  });
});

describe('isUniqueViolation', () => {
  it('knows the constraint from its field or from the message', () => {
    const named = driverError('23505', 'duplicate', { constraint: 'users_email_key' });
    const told = prismaError('P2002', {
      originalCode: '23505',
      originalMessage: 'duplicate key value violates unique constraint "users_email_key"',
    });
    for (const error of [named, told]) {
      expect(isUniqueViolation(error)).toBe(true);
      expect(isUniqueViolation(error, 'users_email_key')).toBe(true);
      expect(isUniqueViolation(error, 'users_email')).toBe(false);
    }
    expect(isUniqueViolation(driverError('23503'))).toBe(false);
  });
});

describe('isRetryable', () => {
  it('is true for serialization failures and deadlocks only', () => {
    expect(isRetryable(driverError('40001'))).toBe(true);
    expect(isRetryable(prismaError('P2010', { originalCode: '40P01' }))).toBe(true);
    expect(isRetryable(prismaError('P2034', { kind: 'TransactionWriteConflict' }))).toBe(true);
    expect(isRetryable(driverError('23505'))).toBe(false);
  });
});

describe('asDatabaseError', () => {
  it.each([
    ['refused', driverError('ECONNREFUSED')],
    ['refused on two addresses', new AggregateError([driverError('ECONNREFUSED')])],
    ['lost', new Error('Connection terminated unexpectedly')],
    ['read time-out', new Error('Query read timeout')],
    ['full pool', new Error('timeout exceeded when trying to connect')],
    ['unreachable, says Prisma', prismaError('P2010', { kind: 'DatabaseNotReachable' })],
    ['transaction time-out', driverError('P2028')],
    ['statement time-out', prismaError('P2010', { originalCode: '57014' })],
    ['shutting down', driverError('57P01')],
    ['too many connections', driverError('53300')],
    ['disk full', driverError('53100')],
    ['read-only', driverError('25006')],
  ])('says unavailable and keeps the cause: %s', (_, error) => {
    const mapped = asDatabaseError(error);
    expect(mapped).toBeInstanceOf(DatabaseUnavailableError);
    expect((mapped as Error).cause).toBe(error);
    expect(asDatabaseError(mapped)).toBe(mapped);
  });

  it.each([
    ['unique', driverError('23505')],
    ['lock not available', driverError('55P03')],
    ['aborted transaction', driverError('25P02')],
    ['not found, says Prisma', driverError('P2025')],
    ['plain', new Error('anything')],
  ])('leaves others as they are: %s', (_, error) => {
    expect(asDatabaseError(error)).toBe(error);
  });
});
