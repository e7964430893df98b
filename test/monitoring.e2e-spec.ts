import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { anOrganization, aServiceAccount } from './factories.js';
import { startServer, type TestServer } from './harness.js';

/** What Prometheus itself knows and adds. */
const OF_PROMETHEUS = { metrics: ['up'], labels: ['job', 'instance'] };

const read = (...path: string[]) => readFileSync(join(import.meta.dirname, '..', ...path), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string };
}

interface Panel {
  type: string;
  title: string;
  targets?: { expr: string }[];
  gridPos: { x: number; y: number; w: number; h: number };
}

const rules = (
  load(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }
).groups //
  .flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/dashboard.json')) as {
  panels: Panel[];
  templating: { list: { name: string; definition?: string }[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const queries = [
  ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [title, expr]),
  ),
];

/** The metrics of a query, each with the labels that are asked of it, and those that are grouped by. */
function readQuery(expr: string) {
  const query = expr.replaceAll('$__rate_interval', '5m');
  const metrics: { name: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  parser.parse(query).iterate({
    enter: ({ type, from, to, node }) => {
      const text = query.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${query}`);
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        metrics.push({ name: query.slice(name?.from, name?.to), labels: [] });
      }
      if (type.name !== 'LabelName') return;
      if (node.parent?.name === 'GroupingLabels') grouped.push(text);
      else metrics.at(-1)!.labels.push(text);
    },
  });
  return { metrics, grouped };
}

/** Series names of a scrape, with their labels. */
function seriesOf(scrape: string): Map<string, Set<string>> {
  const series = new Map<string, Set<string>>();
  for (const line of scrape.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const known = series.get(name) ?? new Set();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label!);
    series.set(name, known);
  }
  return series;
}

describe('alerts and dashboard', () => {
  let server: TestServer;
  let series: Map<string, Set<string>>;
  beforeAll(async () => {
    server = await startServer();
    const account = await aServiceAccount(server, await anOrganization(server));
    for (let count = 0; count < 2; count += 1) {
      expect((await account.client.get('/v1/me')).status).toBe(200);
    }
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
        socket.write('NONSENSE\r\n\r\n'),
      );
      socket.on('data', () => undefined).on('close', () => resolve());
    });
    series = seriesOf((await server.client.get('/metrics')).body as string);
    for (const name of OF_PROMETHEUS.metrics) series.set(name, new Set());
  });
  afterAll(() => server?.close());

  it.each(queries)('"%s" asks for metrics and labels that the server really has', (_, expr) => {
    const { metrics, grouped } = readQuery(expr);
    expect(metrics.length).toBeGreaterThan(0);
    const there = new Set(OF_PROMETHEUS.labels);
    for (const { name, labels } of metrics) {
      expect([...series.keys()]).toContain(name);
      const known = [...series.get(name)!, ...OF_PROMETHEUS.labels];
      for (const label of labels) expect(known).toContain(label);
      for (const label of known) there.add(label);
    }
    for (const label of grouped) expect([...there]).toContain(label);
  });

  it('use every metric of Claviger that a server without workers has', () => {
    const used = new Set(
      queries.flatMap(([, expr]) => readQuery(expr).metrics.map(({ name }) => name)),
    );
    const own = [...series.keys()].filter((name) => name.startsWith('claviger_'));
    expect(own.length).toBeGreaterThan(5);
    const parts = /_(bucket|sum|count)$/;
    const families = new Set([...used].map((name) => name.replace(parts, '')));
    for (const name of own) expect([...families]).toContain(name.replace(parts, ''));
  });

  it('ask by routes that there are', () => {
    const routes = queries.flatMap(([, expr]) =>
      [...expr.matchAll(/route="([^"]+)"/g)].map(([, route]) => route),
    );
    const { paths } = JSON.parse(read('openapi.json')) as { paths: object };
    expect(routes.length).toBeGreaterThan(0);
    for (const route of routes) expect(Object.keys(paths)).toContain(route);
  });
});

describe('the alerts', () => {
  it('have a severity, a sentence, and a row in the documentation each', () => {
    const documentation = read('docs/operations.md');
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\.$/);
      expect(documentation).toMatch(
        new RegExp(`^\\| \`${alert}\` \\| ${labels.severity} \\|`, 'm'),
      );
    }
  });
});

describe('the dashboard', () => {
  it('has panels that do not overlap, and variables that are asked of metrics', () => {
    const places = new Set<string>();
    for (const { gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(places.has(`${x},${y}`)).toBe(false);
          places.add(`${x},${y}`);
        }
      }
    }
    const variables = dashboard.templating.list.map(({ name }) => name);
    expect(variables).toEqual(['datasource', 'job', 'instance']);
    const used = JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g);
    for (const [, name] of used) expect([...variables, '__rate_interval']).toContain(name);
  });
});
