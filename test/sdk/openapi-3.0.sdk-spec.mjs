import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toOpenApi30 } from '../../scripts/sdk/openapi-3.0.mjs';

/** What a schema of the document becomes, under a name that tells whether clients send it. */
function converted(schema, name = 'Thing') {
  const document = { openapi: '3.1.0', components: { schemas: { ...others, [name]: schema } } };
  return toOpenApi30(document).components.schemas[name];
}

const others = { Key: { type: 'object' }, User: { type: 'object' } };
const key = { $ref: '#/components/schemas/Key' };
const user = { $ref: '#/components/schemas/User' };

describe('toOpenApi30', () => {
  it('says nullable where the type may be null', () => {
    expect(converted({ type: ['string', 'null'], format: 'date-time' })).toEqual({
      type: 'string',
      format: 'date-time',
      nullable: true,
    });
    expect(converted({ description: 'd', anyOf: [key, { type: 'null' }] })).toEqual({
      description: 'd',
      allOf: [key],
      nullable: true,
    });
  });

  it('does so inside of properties, items and parameters', () => {
    const schema = { type: ['integer', 'null'] };
    const document = {
      openapi: '3.1.0',
      paths: { '/a': { get: { parameters: [{ name: 'limit', in: 'query', schema }] } } },
    };
    expect(toOpenApi30(document).paths['/a'].get.parameters[0].schema).toEqual({
      type: 'integer',
      nullable: true,
    });
    const list = { type: 'object', properties: { all: { type: 'array', items: schema } } };
    expect(converted(list).properties.all.items).toEqual({ type: 'integer', nullable: true });
  });

  it('keeps unions of objects, with their discriminator, and makes others any value', () => {
    const union = { oneOf: [key, user], discriminator: { propertyName: 'kind' } };
    expect(converted(union)).toEqual(union);
    const mixed = { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] };
    expect(converted({ description: 'd', ...mixed })).toEqual({ description: 'd' });
  });

  it('lets clients understand words that the server learns later', () => {
    const words = { type: 'string', enum: ['active', 'expired'] };
    expect(converted({ ...words, description: 'How it is.' })).toEqual({
      type: 'string',
      description: 'How it is. One of: `active`, `expired`.',
    });
    expect(converted(words, 'ThingInput')).toEqual(words);
  });

  it('takes a property for a property, whatever its name', () => {
    const schema = {
      type: 'object',
      properties: { enum: { type: 'string' }, type: { type: 'string' }, example: key },
    };
    expect(converted(schema)).toEqual(schema);
  });

  it('leaves examples and its argument as they are', () => {
    const example = { type: ['string', 'null'], enum: ['a'] };
    const schema = { type: ['object', 'null'], example };
    expect(converted(schema).example).toEqual(example);
    expect(schema.type).toEqual(['object', 'null']);
  });

  it('leaves nothing of 3.1 in the contract', () => {
    const contract = JSON.parse(readFileSync(join(import.meta.dirname, '../../openapi.json')));
    const text = JSON.stringify(withoutExamples(toOpenApi30(contract)));
    expect(text).toContain('"openapi":"3.0.3"');
    expect(text).not.toMatch(/"type":\[|"null"|"const":|"\$defs":/);
  });
});

function withoutExamples(node) {
  if (Array.isArray(node)) return node.map(withoutExamples);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([name]) => name !== 'example' && name !== 'examples')
      .map(([name, value]) => [name, withoutExamples(value)]),
  );
}
