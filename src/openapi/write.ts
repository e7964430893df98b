import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readFile, writeFile } from 'node:fs/promises';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config.js';
import { buildDocument } from './document.js';
import { documentFaults } from './rules.js';

/**
 * `node dist/openapi/write.js [--check] [file]`: writes the document of the built application, `openapi.json` by default.
 * With `--check` it writes nothing and exits 1 when the file is stale. A document that breaks the rules is exit 1 too.
 */
async function main(args: string[]): Promise<number> {
  const isCheck = args.includes('--check');
  const file = args.find((arg) => !arg.startsWith('--')) ?? 'openapi.json';
  const document = await documentOfBuild();
  const faults = documentFaults(document);
  if (faults.length > 0) {
    process.stderr.write(`The API is not documented well enough:\n  ${faults.join('\n  ')}\n`);
    return 1;
  }
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (!isCheck) {
    await writeFile(file, text);
    return 0;
  }
  if ((await readFile(file, 'utf8').catch(() => '')) === text) return 0;
  process.stderr.write(`${file} is stale: run npm run openapi and commit it.\n`);
  return 1;
}

/** Preview mode reads the controllers' metadata without making anything: no database, no configuration. */
async function documentOfBuild() {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(loadConfig({})),
    new FastifyAdapter(),
    { preview: true, logger: ['error'], abortOnError: false },
  );
  return buildDocument(app);
}

process.exitCode = await main(process.argv.slice(2));
