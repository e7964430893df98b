import { describe, expect, it } from '@jest/globals';
import { entityTagOf, isKnown, requireMatch, tagged, taggedAs, taggedWith } from './entity-tag.js';

const thing = tagged({ id: 'x', status: 'active', lastUsedAt: null }, 3, ['lastUsedAt']);
const TAG = entityTagOf(thing)!;

function match(ifMatch: string | undefined, current = () => thing) {
  return requireMatch({ request: { ifMatch } }, current);
}

describe('tagged', () => {
  it('begins with the version and is no part of the JSON', () => {
    expect(TAG).toMatch(/^"3-[\w-]{11}"$/);
    expect(JSON.stringify(thing)).toBe('{"id":"x","status":"active","lastUsedAt":null}');
    expect(Object.keys(thing)).toEqual(['id', 'status', 'lastUsedAt']);
  });

  it('moves with the version and with everything shown, but for what is left out', () => {
    const other = (changes: object, version = 3) =>
      entityTagOf(
        tagged({ id: 'x', status: 'active', lastUsedAt: null, ...changes }, version, [
          'lastUsedAt',
        ]),
      );
    expect(other({})).toBe(TAG);
    expect(other({ lastUsedAt: 'now' })).toBe(TAG);
    expect(other({ status: 'expired' })).not.toBe(TAG);
    expect(other({}, 4)).not.toBe(TAG);
  });

  it('stays through a spread and can be given to the body around it', () => {
    expect(entityTagOf({ ...thing, token: 'y' })).toBe(TAG);
    expect(entityTagOf(taggedAs({ thing, more: 1 }, thing))).toBe(TAG);
    expect(entityTagOf(taggedWith({}, '"1"'))).toBe('"1"');
    for (const body of [undefined, null, 'text', {}, []]) expect(entityTagOf(body)).toBeUndefined();
  });
});

describe('requireMatch', () => {
  it.each([undefined, '*', ' * ', TAG, `"other", ${TAG}`, `,, ${TAG} ,`, `"a,b",${TAG}`])(
    'lets %s through',
    async (ifMatch) => {
      await expect(match(ifMatch)).resolves.toBeUndefined();
    },
  );

  it.each(['"3"', '"other"', `W/${TAG}`, `"${TAG.slice(1, -1)}x"`])(
    'refuses %s',
    async (ifMatch) => {
      await expect(match(ifMatch)).rejects.toMatchObject({
        status: 412,
        code: 'precondition_failed',
      });
    },
  );

  it.each(['', ',', '3', TAG.slice(1, -1), `${TAG}${TAG}`, `w/${TAG}`, `"a" b`, `${TAG}, *`, '"a'])(
    'does not understand %j',
    async (ifMatch) => {
      await expect(match(ifMatch)).rejects.toMatchObject({ status: 400, code: 'invalid_if_match' });
    },
  );

  it('asks for the present state only where there is a condition', async () => {
    const never = () => {
      throw new Error('asked');
    };
    await match(undefined, never);
    await requireMatch({ request: null }, never);
    await expect(match(TAG, never)).rejects.toThrow('asked');
  });
});

describe('isKnown', () => {
  it.each(['*', TAG, `W/${TAG}`, `"other", W/${TAG}`])('by %s', (ifNoneMatch) => {
    expect(isKnown(ifNoneMatch, TAG)).toBe(true);
  });

  it.each([undefined, '', '"other"', '3', `${TAG} and more`])('not by %s', (ifNoneMatch) => {
    expect(isKnown(ifNoneMatch, TAG)).toBe(false);
  });
});
