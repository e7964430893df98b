import type { OpenAPIObject } from '@nestjs/swagger';
import { TAGS } from './tags.js';

type Json = Record<string, unknown>;

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; description?: string; schema?: unknown }[];
  requestBody?: { content?: Record<string, Json> };
  responses?: Record<string, { description?: string; content?: Record<string, Json> }>;
  'x-required-permission'?: string;
}

const OPERATION_ID = /^[a-z][A-Za-z0-9]*_[a-z][A-Za-z0-9]*$/;

/** What the document owes its readers, one sentence for each fault; an empty list for a document that may be published. */
export function documentFaults(document: OpenAPIObject): string[] {
  const seen = new Set<string>();
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as unknown as Record<string, Operation>).flatMap(([verb, operation]) => {
      const faults = operationFaults(operation, path);
      const id = operation.operationId ?? '';
      if (seen.has(id)) faults.push(`the operationId ${id} is taken`);
      seen.add(id);
      return faults.map((fault) => `${verb.toUpperCase()} ${path}: ${fault}`);
    }),
  );
}

function operationFaults(operation: Operation, path: string): string[] {
  const faults: string[] = [];
  const { operationId = '', summary, tags = [], responses = {} } = operation;
  if (!OPERATION_ID.test(operationId))
    faults.push(`the operationId ${operationId} has another shape`);
  if (!summary?.trim()) faults.push('no summary: write a doc comment on the handler');
  if (operation['x-required-permission'] === undefined) faults.push('no x-required-permission');
  for (const tag of tags.length === 0 ? ['(none)'] : tags) {
    if (!TAGS.has(tag)) faults.push(`the tag ${tag} is not described in tags.ts`);
  }
  const statuses = Object.keys(responses);
  if (!statuses.some((status) => /^[23]/.test(status))) faults.push('no successful response');
  if (!statuses.some((status) => /^[45]/.test(status))) faults.push('no error response');
  if (/^\/(?:v1|oauth)\//.test(path) && operation['x-required-permission'] !== 'none') {
    for (const status of ['401', '403']) {
      if (!statuses.includes(status)) faults.push(`no ${status} response`);
    }
  }
  return [...faults, ...exampleFaults(operation), ...parameterFaults(operation, path)];
}

function exampleFaults({ requestBody, responses = {} }: Operation): string[] {
  const contents: [string, Record<string, Json> | undefined][] = [
    ['the request body', requestBody?.content],
    ...Object.entries(responses).map(
      ([status, { content }]) => [`the ${status} response`, content] as [string, typeof content],
    ),
  ];
  return contents.flatMap(([where, content]) =>
    Object.values(content ?? {})
      .filter(({ example, examples }) => example === undefined && examples === undefined)
      .map(() => `${where} has no example`),
  );
}

function parameterFaults({ parameters = [] }: Operation, path: string): string[] {
  const declared = new Set(parameters.filter((one) => one.in === 'path').map((one) => one.name));
  return [...path.matchAll(/\{(\w+)\}/g)]
    .filter(([, name]) => !declared.has(name ?? ''))
    .map(([, name]) => `the path parameter ${name} is not documented`);
}
