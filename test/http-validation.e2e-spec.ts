import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { errorsOf, Platform } from './http-fixture.js';

const platform = new Platform();

beforeAll(() => platform.start());

afterAll(() => platform.stop());

describe('bodies', () => {
  it('gives the instance, with nothing coerced', async () => {
    const body = {
      name: 'x',
      enabled: false,
      expiresAt: null,
      count: 3,
      permissions: ['a:read'],
      labels: { team: 'core' },
      owner: { id: 'usr' },
      owners: [{ id: 'usr' }],
    };
    const response = await platform.post(JSON.stringify(body));
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual(body);
  });

  it.each([
    [{}, { '/name': 'required' }],
    [{ name: null }, { '/name': 'wrong_type' }],
    [{ name: 1 }, { '/name': 'wrong_type' }],
    [{ name: '' }, { '/name': 'too_short' }],
    [{ name: 'x'.repeat(11) }, { '/name': 'too_long' }],
    [{ name: ' x' }, { '/name': 'invalid_format' }],
    [{ name: 'a\nb' }, { '/name': 'invalid_format' }],
    [{ name: 'x', id: '1' }, { '/id': 'unknown_property' }],
    [{ name: 'x', hasOwnProperty: 1 }, { '/hasOwnProperty': 'unknown_property' }],
    [{ name: 'x', toString: 1 }, { '/toString': 'unknown_property' }],
    [{ name: 'x', 'a/b~': 1 }, { '/a~1b~0': 'unknown_property' }],
    [{ name: 'x', enabled: 'false' }, { '/enabled': 'wrong_type' }],
    [{ name: 'x', enabled: null }, { '/enabled': 'wrong_type' }],
    [{ name: 'x', expiresAt: '2026-02-30T00:00:00Z' }, { '/expiresAt': 'invalid_format' }],
    [{ name: 'x', count: '3' }, { '/count': 'wrong_type' }],
    [{ name: 'x', count: 1.5 }, { '/count': 'wrong_type' }],
    [{ name: 'x', count: 11 }, { '/count': 'too_large' }],
    [{ name: 'x', permissions: 'a:read' }, { '/permissions': 'wrong_type' }],
    [
      { name: 'x', permissions: ['a:read', 'z', 'b:read', 1] },
      {
        '/permissions/1': 'not_allowed',
        '/permissions/3': 'not_allowed',
      },
    ],
    [{ name: 'x', permissions: Array(6).fill('a:read') }, { '/permissions': 'too_long' }],
    [{ name: 'x', labels: { team: 1 } }, { '/labels/team': 'wrong_type' }],
    [{ name: 'x', labels: [] }, { '/labels': 'wrong_type' }],
    [{ name: 'x', owner: [] }, { '/owner': 'wrong_type' }],
    [{ name: 'x', owner: {} }, { '/owner/id': 'required' }],
    [{ name: 'x', owner: { id: 'y', z: 1 } }, { '/owner/z': 'unknown_property' }],
    [{ name: 'x', owners: {} }, { '/owners': 'wrong_type' }],
    [{ name: 'x', owners: [{ id: 'y' }, { id: 1 }] }, { '/owners/1/id': 'wrong_type' }],
    [
      { name: 'x', owners: [null, [], 'y'] },
      {
        '/owners/0': 'wrong_type',
        '/owners/1': 'wrong_type',
        '/owners/2': 'wrong_type',
      },
    ],
    [[], { '': 'wrong_type' }],
    [null, { '': 'wrong_type' }],
    ['text', { '': 'wrong_type' }],
  ])('answers %j with the pointers at fault', async (body, expected) => {
    const response = await platform.post(JSON.stringify(body));
    expect(response.status).toBe(400);
    expect(await errorsOf(response)).toEqual(expected);
  });
});

describe('names that should not have been sent', () => {
  it('come back without the token that somebody pasted as one', async () => {
    const token = createToken('clv', 'key', newId('key'));
    const response = await platform.post(JSON.stringify({ name: 'x', [token]: 1 }));
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain(token.slice(-20));
  });
});

describe('queries', () => {
  it('reads integers and booleans, and knows the defaults', async () => {
    expect(await (await platform.send('/v1/things')).json()).toEqual({ limit: 50 });
    const response = await platform.send('/v1/things?limit=200&archived=false');
    expect(await response.json()).toEqual({ limit: 200, archived: false });
  });

  it.each([
    ['limit=-1', { '/limit': 'too_small' }],
    ['limit=0', { '/limit': 'too_small' }],
    ['limit=201', { '/limit': 'too_large' }],
    ['limit=99999999999999999999', { '/limit': 'too_large' }],
    ['limit=1.5', { '/limit': 'wrong_type' }],
    ['limit=0x10', { '/limit': 'wrong_type' }],
    ['limit=', { '/limit': 'wrong_type' }],
    ['limit=1&limit=2', { '/limit': 'duplicate' }],
    ['limit=%00', { '/limit': 'invalid_format' }],
    ['limit=%ff', { '/limit': 'invalid_format' }],
    ['limit=%ed%a0%80', { '/limit': 'invalid_format' }],
    ['archived=yes', { '/archived': 'wrong_type' }],
    ['what=1', { '/what': 'unknown_property' }],
    ['__proto__=1', { '/__proto__': 'unknown_property' }],
    ['toString=1', { '/toString': 'unknown_property' }],
  ])('refuses ?%s with 400', async (query, expected) => {
    const response = await platform.send(`/v1/things?${query}`);
    expect(response.status).toBe(400);
    expect(await errorsOf(response)).toEqual(expected);
  });
});
