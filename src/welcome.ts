import type { Config } from './config.js';

/** What a process can say once it listens. */
export interface Listening {
  /** The real one, also where the configuration has 0. */
  port: number;
  /** With a one-time token in it; only when there is no administrator yet. */
  setupLink?: string;
}

/** What to tell people when the server is ready. With a set-up link in it, it is for standard output alone. */
export function welcome(config: Config, { port, setupLink }: Listening): string {
  // Port 0 has only now become a real one.
  const url = config.port === 0 ? `http://localhost:${port}` : config.publicUrl;
  const lines = [
    'Claviger is ready.',
    `  Settings    ${url}/`,
    `  API         ${url}/v1`,
    `  Swagger UI  ${url}/docs`,
    `  OpenAPI     ${url}/openapi.json`,
    ...(setupLink === undefined
      ? []
      : [
          '',
          'There is no administrator yet. Set the first one up within 30 minutes:',
          `  ${setupLink.replace(config.publicUrl, url)}`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}
