import { describe, expect, it } from '@jest/globals';
import { idPattern } from '../crypto/id.js';
import { boundParameters, boundSchemas } from './bounds.js';

/** A property of a schema of this name, once it has been bounded. */
function bounded(name: string, field: string, property: Record<string, unknown>) {
  boundSchemas({ [name]: { type: 'object', properties: { [field]: property } } });
  return property;
}

describe('the fields of an answer', () => {
  it('are bounded by their names, or by those of their schemas', () => {
    expect(bounded('Thing', 'hash', { type: 'string' })).toMatchObject({ maxLength: 64 });
    expect(bounded('Thing', 'key', { type: 'string' })).toMatchObject({ maxLength: 63 });
    expect(bounded('SignedCheckpointDto', 'key', { type: 'string' })).toMatchObject({
      maxLength: 43,
    });
  });

  it('keep what they say themselves', () => {
    expect(bounded('Thing', 'name', { type: 'string', maxLength: 7 })).toMatchObject({
      maxLength: 7,
    });
    expect(bounded('Thing', 'name', { type: 'string', enum: ['a'] })).toEqual({
      type: 'string',
      enum: ['a'],
    });
  });

  it('are ids of the kind of their example', () => {
    const example = 'sa_01h455vb4pex5vsknk084sn02q';
    const property = bounded('Thing', 'id', { type: ['string', 'null'], example });
    expect(property).toMatchObject({ maxLength: 29, pattern: idPattern('sa') });
    expect(example).toMatch(new RegExp(idPattern('sa')));
    expect(bounded('Thing', 'id', { type: 'string' })).toEqual({ type: 'string' });
  });

  it('have items and values', () => {
    const list = bounded('Thing', 'permissions', { type: 'array', items: { type: 'string' } });
    expect(list).toMatchObject({ maxItems: 600, items: { maxLength: 128 } });
    const map = bounded('Thing', 'labels', {
      type: 'object',
      additionalProperties: { type: 'string' },
    });
    expect(map).toMatchObject({ additionalProperties: { maxLength: 256 } });
  });

  it('are no larger integers than JSON can say', () => {
    expect(bounded('Thing', 'sequence', { type: 'integer' })).toEqual({
      type: 'integer',
      format: 'int64',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    });
    expect(bounded('Thing', 'size', { type: 'integer', maximum: 9 })).toMatchObject({
      format: 'int32',
    });
  });
});

describe('the fields of a request', () => {
  it('are bounded by what a look-up knows, not by what answers show', () => {
    expect(bounded('ThingInput', 'ownerId', { type: 'string' })).toMatchObject({
      pattern: idPattern('usr'),
    });
    expect(bounded('ThingInput', 'description', { type: 'string' })).toEqual({ type: 'string' });
  });

  it('are path parameters too', () => {
    const schema = { type: 'string' };
    boundParameters([{ in: 'path', name: 'keyId', schema }]);
    expect(schema).toMatchObject({ pattern: idPattern('key') });
  });
});
