// npm run openapi:breaking [BEFORE AFTER CHANGELOG]   compares openapi.json with that of the release before (or two files).
// Exits 1 and prints what breaks callers, unless the changelog's section "Unreleased" has a heading "### Breaking".
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const VERBS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

/** Bounds of what a request may say, and which of two is the narrower one. */
const UPPER = ['maxLength', 'maxItems', 'maxProperties', 'maximum', 'exclusiveMaximum'];
const LOWER = ['minLength', 'minItems', 'minProperties', 'minimum', 'exclusiveMinimum'];
const SHAPE = ['pattern', 'format', 'const', 'uniqueItems'];

/**
 * What in the document `after` breaks callers that were written for `before`, one sentence each. New operations, optional parameters
 * and fields of requests, and whatever answers show beyond what they showed, break nobody.
 */
export function breakingChanges(before, after) {
  const now = operationsOf(after);
  return [...operationsOf(before)].flatMap(([name, operation]) => {
    const successor = now.get(name);
    if (successor === undefined) return [`${name}: the operation is gone`];
    const found = [
      ...nameChanges(operation, successor),
      ...parameterChanges(operation.parameters, successor.parameters),
      ...bodyChanges(operation.requestBody, successor.requestBody),
      ...answerChanges(operation.responses, successor.responses),
    ];
    return found.map((sentence) => `${name}: ${sentence}`);
  });
}

/** Whether the section of what is not released yet declares that something breaks. */
export function declaresBreaking(changelog) {
  const unreleased = /^## \[?Unreleased\]?.*$([^]*?)(?=^## |$(?![^]))/im.exec(changelog)?.[1] ?? '';
  return /^### Breaking/im.test(unreleased);
}

/** By method and path, whatever the path parameters are called; without references. */
function operationsOf(document) {
  const resolve = resolverOf(document);
  const found = new Map();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const verb of VERBS.filter((one) => item[one] !== undefined)) {
      const operation = item[verb];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
      found.set(`${verb.toUpperCase()} ${path.replace(/\{\w+\}/g, '{}')}`, {
        ...operation,
        parameters: parameters.map((one) => ({ ...one, schema: schema(one.schema, resolve) })),
        requestBody: withContent(resolve(operation.requestBody), resolve),
        responses: mapValues(operation.responses ?? {}, (one) =>
          withContent(resolve(one), resolve),
        ),
      });
    }
  }
  return found;
}

function resolverOf(document) {
  const resolve = (value) => {
    if (typeof value?.$ref !== 'string') return value;
    const names = value.$ref.replace(/^#\//, '').split('/');
    const target = names.reduce(
      (at, name) => at?.[decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')],
      document,
    );
    return resolve(target);
  };
  return resolve;
}

function withContent(value, resolve) {
  if (value === undefined) return undefined;
  return {
    ...value,
    content: mapValues(value.content ?? {}, (media) => schema(media.schema, resolve)),
  };
}

/** A schema that looks up what it refers to when it is asked for its parts. */
function schema(value, resolve) {
  return { resolve, value };
}

function partsOf({ resolve, value }) {
  const found = resolve(value) ?? {};
  const all = (found.allOf ?? []).map((part) => partsOf(schema(part, resolve)));
  return all.reduce(
    (sum, part) => ({
      ...sum,
      ...part,
      required: [...(sum.required ?? []), ...(part.required ?? [])],
      properties: { ...sum.properties, ...part.properties },
    }),
    found,
  );
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, one]) => [name, change(one)]));
}

function nameChanges(before, after) {
  const found = [];
  if (before.operationId !== after.operationId) {
    found.push(`the operationId is ${after.operationId}, and was ${before.operationId}`);
  }
  const [was, is] = [before, after].map((one) => one['x-required-permission'] ?? 'none');
  if (is !== was && is !== 'none') found.push(`needs the permission ${is}, and needed ${was}`);
  return found;
}

function parameterChanges(before, after) {
  // Path parameters have their place, whatever they are called.
  const keyed = (list) => {
    const named = list.filter((one) => one.in !== 'path');
    return new Map(named.map((one) => [`${one.in} ${one.name.toLowerCase()}`, one]));
  };
  const [was, is] = [keyed(before), keyed(after)];
  const gone = [...was.keys()].filter((key) => !is.has(key)).map((key) => `${key} is gone`);
  const others = [...is].flatMap(([key, one]) => {
    const old = was.get(key);
    if (one.required && !old?.required) return [`${key} must be given`];
    return old === undefined ? [] : schemaChanges(old.schema, one.schema, 'request', key);
  });
  return [...gone, ...others, ...orderChanges([...was.keys()], [...is.keys()], 'the parameters')];
}

/** Generated clients take parameters, and what must be given, in the order of the document. */
function orderChanges(before, after, what) {
  const old = before.filter((name) => after.includes(name));
  const now = after.filter((name) => before.includes(name));
  return old.join() === now.join() ? [] : [`${what} have another order: ${now.join(', ')}`];
}

function bodyChanges(before, after) {
  if (before === undefined) return after?.required ? ['a body must be given'] : [];
  if (after === undefined) return ['takes no body any more'];
  const needed = after.required && !before.required ? ['a body must be given'] : [];
  return [...needed, ...contentChanges(before.content, after.content, 'request', 'the request')];
}

function answerChanges(before, after) {
  return Object.entries(before).flatMap(([status, answer]) => {
    const successor = after[status];
    if (successor === undefined) return [`the status ${status} is gone`];
    const headers = Object.keys(answer.headers ?? {}).filter(
      (name) => successor.headers?.[name] === undefined,
    );
    return [
      ...headers.map((name) => `the header ${name} of ${status} is gone`),
      ...contentChanges(answer.content, successor.content, 'answer', status),
    ];
  });
}

function contentChanges(before, after, direction, where) {
  return Object.entries(before).flatMap(([type, old]) =>
    after[type] === undefined
      ? [`${where}: ${type} is gone`]
      : schemaChanges(old, after[type], direction, where),
  );
}

/** @param above what has been compared on the way here: schemas may contain themselves */
function schemaChanges(before, after, direction, where, above = []) {
  const [was, is] = [partsOf(before), partsOf(after)];
  if (above.some(([a, b]) => a === before.value && b === after.value)) return [];
  const way = [...above, [before.value, after.value]];
  const inner = (a, b, at) =>
    schemaChanges(
      schema(a, before.resolve),
      schema(b, after.resolve),
      direction,
      `${where}${at}`,
      way,
    );
  const found = [...typeChanges(was, is, direction), ...enumChanges(was, is)];
  if (direction === 'request') found.push(...narrowings(was, is));
  return [
    ...found.map((sentence) => `${where} ${sentence}`),
    ...propertyChanges(was, is, direction, where, inner),
    ...(was.items && is.items ? inner(was.items, is.items, '/-') : []),
    ...(isSchema(was.additionalProperties) && isSchema(is.additionalProperties)
      ? inner(was.additionalProperties, is.additionalProperties, '/*')
      : []),
    ...choiceChanges(was, is, where, inner),
  ];
}

const isSchema = (value) => typeof value === 'object' && value !== null;

function typeChanges(was, is, direction) {
  const [old, now] = [was, is].map(({ type }) => (type === undefined ? undefined : [type].flat()));
  if (old === undefined || now === undefined) return [];
  const includes = (list, type) =>
    list.includes(type) || (type === 'integer' && list.includes('number'));
  const isNarrower = direction === 'request';
  const lost = isNarrower
    ? old.filter((type) => !includes(now, type))
    : now.filter((type) => !includes(old, type));
  return lost.map((type) => (isNarrower ? `may not be ${type} any more` : `may be ${type} now`));
}

function enumChanges(was, is) {
  const [old, now] = [was, is].map((one) => one.enum);
  if (old === undefined || now === undefined) return [];
  return old.filter((value) => !now.includes(value)).map((value) => `is never ${value} any more`);
}

function narrowings(was, is) {
  const found = [];
  if (is.enum !== undefined && was.enum === undefined) found.push('is one of a few words now');
  for (const bound of UPPER) {
    if (is[bound] < (was[bound] ?? Infinity)) found.push(`has ${bound} ${is[bound]} now`);
  }
  for (const bound of LOWER) {
    if (is[bound] > (was[bound] ?? -Infinity) && !(was[bound] === undefined && is[bound] === 0)) {
      found.push(`has ${bound} ${is[bound]} now`);
    }
  }
  for (const rule of SHAPE) {
    // An integer's bounds say what its format says.
    if (rule === 'format' && [is.type].flat().includes('integer')) continue;
    if (is[rule] && is[rule] !== was[rule]) found.push(`has the ${rule} ${is[rule]} now`);
  }
  if (is.additionalProperties === false && was.additionalProperties !== false) {
    found.push('takes no other properties any more');
  }
  return found;
}

function propertyChanges(was, is, direction, where, inner) {
  const [old, now] = [was.properties ?? {}, is.properties ?? {}];
  const [needed, needs] = [was.required ?? [], is.required ?? []];
  const found = Object.keys(old)
    .filter((name) => now[name] === undefined)
    .map((name) => `${where}/${name} is gone`);
  if (direction === 'request') {
    const must = needs.filter((name) => !needed.includes(name));
    found.push(...must.map((name) => `${where}/${name} must be given`));
    found.push(...orderChanges(needed, needs, `the required fields of ${where}`));
  } else {
    const may = needed.filter((name) => now[name] !== undefined && !needs.includes(name));
    found.push(...may.map((name) => `${where}/${name} may be missing now`));
  }
  const kept = Object.keys(old).filter((name) => now[name] !== undefined);
  return [...found, ...kept.flatMap((name) => inner(old[name], now[name], `/${name}`))];
}

/** Alternatives have no names: the first is compared with the first. */
function choiceChanges(was, is, where, inner) {
  return ['oneOf', 'anyOf'].flatMap((kind) => {
    const [old, now] = [was[kind] ?? [], is[kind] ?? []];
    if (now.length < old.length) return [`${where} has fewer kinds`];
    return old.flatMap((one, at) => inner(one, now[at], ''));
  });
}

function git(...args) {
  const { status, stdout } = spawnSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return status === 0 ? stdout : undefined;
}

/** The document of the last release; undefined when the history here tells of none. */
function released() {
  const tag = git('describe', '--tags', '--abbrev=0')?.trim();
  const text = tag === undefined ? undefined : git('show', `${tag}:openapi.json`);
  return text === undefined ? undefined : { tag, document: JSON.parse(text) };
}

function main([beforeFile, afterFile = join(root, 'openapi.json'), changelogFile]) {
  const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
  const before = beforeFile ? { tag: beforeFile, document: read(beforeFile) } : released();
  if (before === undefined) {
    console.log('No tag of a release in this clone has an openapi.json: nothing to compare with.');
    return 0;
  }
  const found = breakingChanges(before.document, read(afterFile));
  const changelog = readFileSync(changelogFile ?? join(root, 'CHANGELOG.md'), 'utf8');
  const isDeclared = found.length > 0 && declaresBreaking(changelog);
  const say = found.length > 0 && !isDeclared ? console.error : console.log;
  for (const sentence of found) say(sentence);
  if (found.length === 0) say(`Nothing that worked with ${before.tag} breaks.`);
  else if (isDeclared) say(`This breaks callers of ${before.tag}, and the changelog says so.`);
  else {
    say(`This breaks callers of ${before.tag}: avoid it, or write what they have to change under`);
    say('"### Breaking" into the section "Unreleased" of CHANGELOG.md.');
  }
  return found.length === 0 || isDeclared ? 0 : 1;
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) exit(main(argv.slice(2)));
