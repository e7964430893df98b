import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breakingChanges, declaresBreaking } from '../scripts/breaking-changes.mjs';

const SCRIPT = join(import.meta.dirname, '../scripts/breaking-changes.mjs');

type Json = Record<string, any>;

/** A small contract: an operation that changes a thing and answers with it. */
function aContract(): Json {
  return {
    paths: {
      '/things/{thingId}': {
        patch: {
          operationId: 'things_update',
          'x-required-permission': 'none',
          parameters: [
            { in: 'path', name: 'thingId', required: true, schema: { type: 'string' } },
            { in: 'query', name: 'limit', schema: { type: 'integer', maximum: 200 } },
            { in: 'query', name: 'sort', schema: { type: 'string' } },
          ],
          requestBody: json({ $ref: '#/components/schemas/ThingInput' }),
          responses: {
            '200': {
              headers: { ETag: {} },
              ...json({ allOf: [{ $ref: '#/components/schemas/Thing' }] }),
            },
            '409': {},
          },
        },
        delete: { operationId: 'things_delete', responses: { '204': {} } },
      },
    },
    components: {
      schemas: {
        ThingInput: {
          type: 'object',
          required: ['name', 'tags'],
          properties: {
            name: { type: 'string', maxLength: 100 },
            kind: { type: 'string', enum: ['a', 'b'] },
            size: { type: ['integer', 'null'] },
            labels: { type: 'object', additionalProperties: { type: 'string' } },
            tags: { type: 'array', items: { type: 'string' } },
          },
        },
        Thing: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string' },
            status: { type: 'string', enum: ['on', 'off'] },
            parent: { $ref: '#/components/schemas/Thing' },
            value: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
          },
        },
      },
    },
  };
}

function json(schema: Json) {
  return { content: { 'application/json': { schema } } };
}

/** The parts of the contract that a change is made to. */
interface Parts {
  paths: Json;
  patch: Json;
  input: Json;
  thing: Json;
}

function partsOf(contract: Json): Parts {
  const { ThingInput, Thing } = contract.components.schemas;
  const { patch } = contract.paths['/things/{thingId}'];
  return { paths: contract.paths, patch, input: ThingInput, thing: Thing };
}

function found(change: (parts: Parts) => void): string[] {
  const after = aContract();
  change(partsOf(after));
  return breakingChanges(aContract(), after);
}

const PATCH = 'PATCH /things/{}: ';

describe('callers break when', () => {
  it.each<[string, (parts: Parts) => void, string]>([
    [
      'an operation goes',
      ({ paths }) => delete paths['/things/{thingId}'].delete,
      'DELETE /things/{}: the operation is gone',
    ],
    [
      'its operationId changes',
      ({ patch }) => (patch.operationId = 'things_change'),
      'the operationId is things_change, and was things_update',
    ],
    [
      'it needs a permission',
      ({ patch }) => (patch['x-required-permission'] = 'keys:read'),
      'needs the permission keys:read, and needed none',
    ],
    [
      'a parameter is needed',
      ({ patch }) => patch.parameters.push({ in: 'header', name: 'X-Why', required: true }),
      'header x-why must be given',
    ],
    [
      'an optional parameter becomes needed',
      ({ patch }) => (patch.parameters[1].required = true),
      'query limit must be given',
    ],
    ['a parameter goes', ({ patch }) => patch.parameters.pop(), 'query sort is gone'],
    [
      'a parameter may say less',
      ({ patch }) => (patch.parameters[1].schema.maximum = 100),
      'query limit has maximum 100 now',
    ],
    [
      'a body must be given',
      ({ patch }) => (patch.requestBody.required = true),
      'a body must be given',
    ],
    [
      'there is no body any more',
      ({ patch }) => delete patch.requestBody,
      'takes no body any more',
    ],
    [
      'a body is of another type',
      ({ patch }) => (patch.requestBody.content = { 'text/csv': {} }),
      'the request: application/json is gone',
    ],
    [
      'a field of a request is needed',
      ({ input }) => input.required.push('kind'),
      'the request/kind must be given',
    ],
    [
      'a field of a request goes',
      ({ input }) => delete input.properties.tags,
      'the request/tags is gone',
    ],
    [
      'a field of a request is of fewer types',
      ({ input }) => (input.properties.size.type = 'integer'),
      'the request/size may not be null any more',
    ],
    [
      'a word of a request goes',
      ({ input }) => (input.properties.kind.enum = ['a']),
      'the request/kind is never b any more',
    ],
    [
      'a text of a request is a word',
      ({ input }) => (input.properties.name.enum = ['a']),
      'the request/name is one of a few words now',
    ],
    [
      'a text of a request is shorter',
      ({ input }) => (input.properties.name.maxLength = 50),
      'the request/name has maxLength 50 now',
    ],
    [
      'a text of a request is longer',
      ({ input }) => (input.properties.name.minLength = 2),
      'the request/name has minLength 2 now',
    ],
    [
      'a text of a request has a form',
      ({ input }) => (input.properties.name.pattern = '^a'),
      'the request/name has the pattern ^a now',
    ],
    [
      'items of a request are bounded',
      ({ input }) => (input.properties.tags.items.maxLength = 9),
      'the request/tags/- has maxLength 9 now',
    ],
    [
      'values of a request are bounded',
      ({ input }) => (input.properties.labels.additionalProperties.maxLength = 9),
      'the request/labels/* has maxLength 9 now',
    ],
    [
      'a request may not say more',
      ({ input }) => (input.additionalProperties = false),
      'the request takes no other properties any more',
    ],
    ['a status goes', ({ patch }) => delete patch.responses['409'], 'the status 409 is gone'],
    [
      'a header of an answer goes',
      ({ patch }) => delete patch.responses['200'].headers.ETag,
      'the header ETag of 200 is gone',
    ],
    [
      'an answer is of another type',
      ({ patch }) => (patch.responses['200'].content = {}),
      '200: application/json is gone',
    ],
    [
      'a field of an answer goes',
      ({ thing }) => delete thing.properties.status,
      '200/status is gone',
    ],
    [
      'a field of an answer may be missing',
      ({ thing }) => (thing.required = []),
      '200/name may be missing now',
    ],
    [
      'a field of an answer is of another type',
      ({ thing }) => (thing.properties.name.type = ['string', 'null']),
      '200/name may be null now',
    ],
    [
      'a word of an answer goes',
      ({ thing }) => thing.properties.status.enum.pop(),
      '200/status is never off any more',
    ],
    [
      'a kind of an answer changes',
      ({ thing }) => (thing.properties.value.oneOf[0].type = 'boolean'),
      '200/value may be boolean now',
    ],
    [
      'a kind of an answer goes',
      ({ thing }) => thing.properties.value.oneOf.pop(),
      '200/value has fewer kinds',
    ],
    [
      'parameters change places',
      ({ patch }) => patch.parameters.reverse(),
      'the parameters have another order: query sort, query limit',
    ],
    [
      'required fields change places',
      ({ input }) => input.required.reverse(),
      'the required fields of the request have another order: tags, name',
    ],
  ])('%s', (_what, change, sentence) => {
    const expected = sentence.startsWith('DELETE') ? sentence : PATCH + sentence;
    expect(found(change)).toContain(expected);
  });
});

describe('nobody breaks when', () => {
  it.each<[string, (parts: Parts) => void]>([
    ['nothing changes', () => undefined],
    ['an operation is added', ({ paths }) => (paths['/others'] = { get: { responses: {} } })],
    [
      'a path parameter has another name',
      ({ paths, patch }) => {
        patch.parameters[0].name = 'id';
        paths['/things/{id}'] = paths['/things/{thingId}'];
        delete paths['/things/{thingId}'];
      },
    ],
    [
      'a parameter may be given',
      ({ patch }) => patch.parameters.push({ in: 'query', name: 'search' }),
    ],
    ['a parameter may say more', ({ patch }) => delete patch.parameters[1].schema.maximum],
    ['an integer tells its size', ({ patch }) => (patch.parameters[1].schema.format = 'int32')],
    [
      'a field of a request may be given',
      ({ input }) => (input.properties.note = { type: 'string' }),
    ],
    ['a field of a request need not be given', ({ input }) => (input.required = [])],
    [
      'a field of a request is of more types',
      ({ input }) => (input.properties.name.type = ['string', 'null']),
    ],
    [
      'a whole number of a request may be any',
      ({ input }) => (input.properties.size.type = ['number', 'null']),
    ],
    ['a request has one more word', ({ input }) => input.properties.kind.enum.push('c')],
    ['a text of a request may be longer', ({ input }) => (input.properties.name.maxLength = 200)],
    ['a status is added', ({ patch }) => (patch.responses['412'] = {})],
    ['an answer shows more', ({ thing }) => (thing.properties.note = { type: 'string' })],
    ['a field of an answer is always there', ({ thing }) => thing.required.push('status')],
    ['an answer has one more word', ({ thing }) => thing.properties.status.enum.push('idle')],
    ['an answer is bounded', ({ thing }) => (thing.properties.name.maxLength = 100)],
    ['texts explain more', ({ patch }) => (patch.description = 'Changes a thing.')],
  ])('%s', (_what, change) => expect(found(change)).toEqual([]));
});

describe('npm run openapi:breaking', () => {
  const BREAKING = '## Unreleased\n\n### Added\n\n- x\n\n### Breaking\n\n- y\n\n## 1.0.0\n';

  /** The script with a contract from which an operation is gone. */
  function run(changelog: string) {
    const folder = mkdtempSync(join(tmpdir(), 'claviger-contracts-'));
    try {
      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const after = aContract();
      delete after.paths['/things/{thingId}'].delete;
      const files = [
        file('before.json', JSON.stringify(aContract())),
        file('after.json', JSON.stringify(after)),
        file('CHANGELOG.md', changelog),
      ];
      return spawnSync(process.execPath, [SCRIPT, ...files], { encoding: 'utf8' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it('fails, and says why, unless the changelog declares it', () => {
    const { status, stderr } = run(BREAKING.replace('### Breaking', '### Changed'));
    expect([status, stderr]).toEqual([1, expect.stringContaining('the operation is gone')]);
    expect(run(BREAKING)).toMatchObject({ status: 0, stderr: '' });
  });

  it('reads what is not released yet, and nothing else of the changelog', () => {
    expect(declaresBreaking(BREAKING)).toBe(true);
    expect(declaresBreaking('## Unreleased\n\n### Breaking changes\n')).toBe(true);
    expect(declaresBreaking('## Unreleased\n\n- x\n\n## 1.0.0\n\n### Breaking\n')).toBe(false);
    expect(declaresBreaking('## 1.0.0\n\n### Breaking\n')).toBe(false);
  });

  it('passes where the history has no release', () => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT], {
      encoding: 'utf8',
      env: { ...process.env, GIT_DIR: tmpdir() },
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('nothing to compare with')]);
  });
});
