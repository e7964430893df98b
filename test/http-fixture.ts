import { Body, Controller, Delete, Get, Module, Param, Patch, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsString, ValidateNested } from 'class-validator';
import { connect } from 'node:net';
import { PasswordsBusyError } from '../src/crypto/password.js';
import { DatabaseUnavailableError } from '../src/database/errors.js';
import { createLogger } from '../src/logging.js';
import { PageQuery } from '../src/http/pagination.js';
import { createHttpApp } from '../src/http/platform.js';
import { forbidden, notFound, unauthorized } from '../src/http/problem.js';
import {
  BooleanParam,
  IsInteger,
  IsName,
  IsStringMap,
  IsTimestamp,
  Nullable,
  Optional,
} from '../src/http/validators.js';

class Owner {
  @IsString()
  id: string;
}

class Thing {
  @IsName({ max: 10 })
  name: string;

  @Optional()
  @IsBoolean()
  enabled?: boolean;

  @Nullable()
  @IsTimestamp()
  expiresAt?: string | null;

  @Optional()
  @IsInteger({ min: 1, max: 10 })
  count?: number;

  @Optional()
  @IsArray()
  @ArrayMaxSize(5)
  @IsIn(['a:read', 'b:read', 'c:read'], { each: true })
  permissions?: string[];

  @Optional()
  @IsStringMap({ maxEntries: 3, maxKeyLength: 5, maxValueLength: 5 })
  labels?: Record<string, string>;

  @Optional()
  @ValidateNested()
  @Type(() => Owner)
  owner?: Owner;

  @Optional()
  @ValidateNested({ each: true })
  @Type(() => Owner)
  owners?: Owner[];
}

class ThingsQuery extends PageQuery {
  @BooleanParam()
  archived?: boolean;
}

const ERRORS: Record<string, () => Error> = {
  forbidden: () => forbidden('things:read'),
  unauthorized: () => unauthorized('missing'),
  notFound: () => notFound('thing'),
  busy: () => new PasswordsBusyError(),
  database: () => new DatabaseUnavailableError('secret host'),
  unknown: () => new TypeError('select * from secret'),
  nul: () => Object.assign(new Error('bad'), { code: '22021' }),
  unique: () => Object.assign(new Error('bad'), { code: '23505' }),
};

@Controller()
class ThingsController {
  @Get('v1/things')
  list(@Query() query: ThingsQuery) {
    return query;
  }

  @Post('v1/things')
  create(@Body() thing: Thing) {
    return thing;
  }

  @Get('v1/things/:thingId')
  get(@Param('thingId') thingId: string) {
    return { thingId };
  }

  @Patch('v1/things/:thingId')
  update() {
    return {};
  }

  @Delete('v1/things/:thingId')
  delete() {
    return {};
  }

  @Get('v1/fail/:kind')
  fail(@Param('kind') kind: string) {
    throw ERRORS[kind]?.() ?? new Error('?');
  }

  @Post('oauth/token')
  token(@Body() form: Record<string, string>) {
    return { ...form };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

/** The platform around a few routes, listening on a port of its own. */
export class Platform {
  /** Lines of the log. */
  readonly log: string[] = [];
  /** Request ids of the answers that went through `fastify.finish`. */
  readonly finished: string[] = [];
  private app: NestFastifyApplication;
  private port: number;

  async start(overrides: { corsOrigins?: string[] } = {}): Promise<this> {
    this.app = await createHttpApp(ThingsModule, {
      config: {
        publicUrl: 'https://claviger.example',
        trustedProxies: [],
        corsOrigins: [],
        logLevel: 'warn',
        ...overrides,
      },
      logger: createLogger({ logLevel: 'warn' }, { write: (line) => void this.log.push(line) }),
      beforeInit: (_app, fastify) => {
        fastify.finish = (request, _reply, payload) => {
          this.finished.push(request.context.id);
          return Promise.resolve(payload);
        };
        return undefined;
      },
    });
    await this.app.listen(0, '127.0.0.1');
    ({ port: this.port } = this.app.getHttpServer().address() as { port: number });
    return this;
  }

  stop(): Promise<void> {
    return this.app.close();
  }

  send(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }

  post(body: string | Uint8Array, type = 'application/json', path = '/v1/things') {
    const headers = { 'Content-Type': type };
    return this.send(path, { method: 'POST', body: body as never, headers });
  }

  /** Sends raw bytes on a connection of its own and gives all that comes back until it ends. */
  raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(text, 'latin1'));
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  }

  rawGet(target: string, headers = ''): Promise<string> {
    return this.raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
  }
}

/** Pointers and codes of a validation problem. */
export async function errorsOf(response: Response): Promise<Record<string, string>> {
  const { errors = [] } = (await response.json()) as {
    errors?: { pointer: string; code: string }[];
  };
  return Object.fromEntries(errors.map(({ pointer, code }) => [pointer, code]));
}

/** The status of a raw answer. */
export function statusOf(answer: string): number {
  return Number(answer.split(' ')[1]);
}
