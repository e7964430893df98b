import { describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { complete, operationIdOf } from './document.js';
import { exampleOf } from './examples.js';
import { documentFaults } from './rules.js';

function aDocument(operation: Record<string, unknown> = {}): OpenAPIObject {
  const post = {
    operationId: 'things_create',
    summary: 'Makes a thing.',
    tags: ['Keys'],
    'x-required-permission': 'keys:manage',
    security: [{ bearer: [] }],
    parameters: [
      { in: 'path', name: 'organizationId', required: true },
      { in: 'header', name: 'Idempotency-Key' },
    ],
    requestBody: {
      content: { 'application/json': { schema: { $ref: '#/components/schemas/ThingInput' } } },
    },
    responses: {
      '201': {
        description: '',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
      },
    },
    ...operation,
  };
  return {
    openapi: '3.1.0',
    info: { title: 'x', version: '1' },
    paths: { '/v1/organizations/{organizationId}/things': { post } },
    components: {
      schemas: {
        ThingInput: {
          type: 'object',
          properties: { name: { type: 'string', example: 'a thing' } },
        },
        Thing: { type: 'object', properties: { id: { type: 'string', example: 'x' } } },
      },
    },
  } as unknown as OpenAPIObject;
}

function operationOf(document: OpenAPIObject): Record<string, never> {
  const [item] = Object.values(document.paths);
  return item?.post as unknown as Record<string, never>;
}

describe('complete', () => {
  const document = complete(aDocument());
  const operation = operationOf(document);

  it('adds the shared errors that the operation can have', () => {
    const statuses = Object.keys(operation.responses ?? {});
    expect(statuses).toEqual([
      '201',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '422',
      '429',
      '431',
      '503',
    ]);
  });

  it('adds examples, the request id and the permission', () => {
    expect(operation).toMatchObject({
      description: 'Needs the permission `keys:manage`.',
      requestBody: { content: { 'application/json': { example: { name: 'a thing' } } } },
      responses: {
        '201': {
          headers: { 'X-Request-Id': {}, Location: {} },
          content: { 'application/json': { example: { id: 'x' } } },
        },
        '403': { $ref: '#/components/responses/Forbidden' },
      },
    });
  });

  it('lets no reference dangle', () => {
    const text = JSON.stringify(document);
    for (const [, path] of text.matchAll(/"\$ref":"#\/components\/(\w+\/\w+)"/g)) {
      const [section, name] = (path ?? '').split('/') as ['schemas', string];
      expect(document.components?.[section]).toHaveProperty([name]);
    }
  });

  it('is stable', () => {
    expect(JSON.stringify(complete(aDocument()))).toBe(JSON.stringify(document));
  });
});

describe('documentFaults', () => {
  it('finds none in a complete document', () => {
    expect(documentFaults(complete(aDocument()))).toEqual([]);
  });

  it.each([
    [{ summary: ' ' }, /no summary/],
    [{ operationId: 'ThingsController_create' }, /operationId .* another shape/],
    [{ tags: ['Unheard of'] }, /Unheard of/],
    [{ tags: [] }, /\(none\)/],
    [{ parameters: [] }, /organizationId is not documented/],
    [{ responses: {} }, /no successful response/],
    [{ requestBody: { content: { 'text/csv': { schema: {} } } } }, /request body has no example/],
  ])('finds what %j lacks', (operation, fault) => {
    expect(documentFaults(complete(aDocument(operation))).join('\n')).toMatch(fault);
  });

  it('finds missing error docs before completion', () => {
    expect(documentFaults(aDocument()).join('\n')).toMatch(/no error response[^]*no 401[^]*no 403/);
  });
});

describe('exampleOf', () => {
  it.each([
    [{ type: 'string', enum: ['a', 'b'] }, 'a'],
    [{ type: ['string', 'null'], format: 'email' }, 'ada@example.com'],
    [{ type: 'integer', minimum: 3 }, 3],
    [{ type: 'array', items: { type: 'boolean' } }, [true]],
    [{ allOf: [{ $ref: '#/components/schemas/A' }] }, { a: 1 }],
    [{ oneOf: [{ $ref: '#/components/schemas/A' }, { type: 'string' }] }, { a: 1 }],
    [{ type: 'string', example: null }, null],
  ])('composes one for %j', (schema, expected) => {
    const schemas = { A: { type: 'object', properties: { a: { type: 'integer' } } } };
    expect(exampleOf(schema, schemas)).toEqual(expected);
  });

  it('ends where schemas contain each other', () => {
    const schemas = {
      A: { type: 'object', properties: { a: { $ref: '#/components/schemas/A' } } },
    };
    expect(JSON.stringify(exampleOf({ $ref: '#/components/schemas/A' }, schemas))).toMatch(/^\{/);
  });
});

describe('operationIdOf', () => {
  it('is the controller without its suffix, and the method', () => {
    expect(operationIdOf('ServiceAccountsController', 'create')).toBe('serviceAccounts_create');
  });
});
