import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { loadConfig } from '../src/config.js';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'deploy/kubernetes');
const read = (name: string): any => load(readFileSync(join(FOLDER, name), 'utf8'));
const files = readdirSync(FOLDER);

/** Kubernetes' own types, made from its OpenAPI document, by apiVersion. Kustomize's are not among them. */
const TYPES: Record<string, string> = {
  'apps/v1': 'kubernetes-types/apps/v1',
  'policy/v1': 'kubernetes-types/policy/v1',
  v1: 'kubernetes-types/core/v1',
};

/** What TypeScript has against objects as literals of Kubernetes' types: missing, misspelt and wrong members, however deep. */
function faultsOf(objects: { apiVersion: string; kind: string }[]): string[] {
  const lines = objects.map((object, index) => {
    const from = TYPES[object.apiVersion];
    if (from === undefined) throw new Error(`no types for ${object.apiVersion}`);
    return `const object${index}: import('${from}').${object.kind} = ${JSON.stringify(object)};`;
  });
  const name = join(ROOT, 'test', 'manifests.virtual.ts');
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (path, language) =>
    path === name
      ? ts.createSourceFile(path, lines.join('\n'), language)
      : getSourceFile(path, language);
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (path) => path === name || fileExists(path);
  const program = ts.createProgram([name], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const deployment = read('deployment.yaml');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;

describe('the manifests for Kubernetes', () => {
  it('are objects of its API, and Kustomize applies all but the template of the secret', () => {
    const objects = files.filter((name) => name !== 'kustomization.yaml');
    expect(faultsOf(objects.map(read))).toEqual([]);
    const { resources, images } = read('kustomization.yaml');
    expect([...resources, 'secret.example.yaml'].sort()).toEqual(objects.sort());
    expect(images.map(({ name }: { name: string }) => name)).toEqual([container.image]);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(images[0].newTag).toBe(version);
  }, 60_000);

  it('would not pass with a misspelt, a missing or a wrong member', () => {
    const misspelt = structuredClone(deployment);
    misspelt.spec.template.spec.containers[0].readinesProbe = container.readinessProbe;
    const wrong = structuredClone(deployment);
    wrong.spec.replicas = 'two';
    const missing = structuredClone(deployment);
    delete missing.spec.selector;
    for (const [object, message] of [
      [misspelt, 'readinesProbe'],
      [wrong, "'string' is not assignable to type 'number'"],
      [missing, 'selector'],
    ]) {
      expect(faultsOf([object]).join()).toContain(message);
    }
  }, 60_000);

  it('find each other: service, budget and spread by the labels of the pods', () => {
    const { labels } = deployment.spec.template.metadata;
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(read('service.yaml').spec.selector).toEqual(labels);
    expect(read('pod-disruption-budget.yaml').spec.selector.matchLabels).toEqual(labels);
    expect(pod.topologySpreadConstraints[0].labelSelector.matchLabels).toEqual(labels);
    const [port] = read('service.yaml').spec.ports;
    expect(container.ports.map(({ name }: { name: string }) => name)).toEqual([port.targetPort]);
    const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    expect(image).toContain(`PORT=${container.ports[0].containerPort} `);
  });

  it('ask of the server what it has, and leave it the time that it takes', () => {
    const { paths } = JSON.parse(readFileSync(join(ROOT, 'openapi.json'), 'utf8'));
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(Object.keys(paths)).toContain(httpGet.path);
      expect(httpGet.port).toBe(container.ports[0].name);
    }
    // A database that is away must not have all processes killed.
    expect(livenessProbe.httpGet.path).toBe('/health/live');
    expect(readinessProbe.httpGet.path).toBe('/health/ready');
    expect(readinessProbe.timeoutSeconds).toBeGreaterThan(3.5);
    const pause = Number(container.lifecycle.preStop.exec.command[1]);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pause + 10);
    expect(deployment.spec.replicas).toBeGreaterThan(1);
  });

  it('give the process no more than it needs', () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(pod.securityContext.seccompProfile.type).toBe('RuntimeDefault');
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    // What it writes to, and nothing else, is there to be written to.
    const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    const writable = container.volumeMounts.filter(
      ({ readOnly }: { readOnly?: boolean }) => !readOnly,
    );
    expect(writable.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      /DATA_DIR=(\S+)/.exec(image)![1],
      '/tmp',
    ]);
    expect(container.resources.requests).toMatchObject({ cpu: expect.any(String) });
    expect(container.resources.limits).toMatchObject({ memory: expect.any(String) });
  });

  it('configure a server, once the template of the secret is filled in, and not before', () => {
    const { stringData } = read('secret.example.yaml');
    expect(new Set(Object.values(stringData))).toEqual(new Set(['CHANGE-ME']));
    const folder = mkdtempSync(join(tmpdir(), 'claviger-kubernetes-'));
    const mount = container.volumeMounts.find(({ name }: { name: string }) => name === 'secrets');
    expect(pod.volumes[0].secret.secretName).toBe(read('secret.example.yaml').metadata.name);
    const env: Record<string, string> = {};
    for (const { name, value } of container.env) env[name] = value.replace(mount.mountPath, folder);
    const start = (values: Record<string, string>) => {
      for (const [key, value] of Object.entries(values)) writeFileSync(join(folder, key), value);
      return loadConfig(env);
    };
    try {
      // Nor does it begin an embedded database by mistake.
      expect(() => start(stringData)).toThrow(/DATABASE_URL[^]*PEPPER[^]*METRICS_TOKEN/);
      const config = start({
        'database-url': 'postgresql://claviger:secret@postgres:5432/claviger',
        pepper: Buffer.alloc(32, 7).toString('base64'),
        'metrics-token': '0123456789abcdef',
      });
      expect(config).toMatchObject({ publicUrl: env.PUBLIC_URL, workers: 1 });
      expect(config.metricsToken).toBeDefined();
      expect(config.databaseUrl).toBeDefined();
      const documented = readFileSync(join(ROOT, '.env.example'), 'utf8');
      for (const name of Object.keys(env)) expect(documented).toContain(`#${name}=`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
