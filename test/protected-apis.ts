import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import express from 'express';
import Fastify from 'fastify';
import type { AddressInfo, Server } from 'node:net';
import { protect as protectExpress, type ProtectedRequest } from '../sdk/typescript/src/express.js';
import { protect as protectFastify } from '../sdk/typescript/src/fastify.js';
import { PermissionGuard, RequirePermission } from '../sdk/typescript/src/nest.js';
import type { TokenVerifier, VerifiedToken } from '../sdk/typescript/src/verify.js';

/** An API of somebody's, on a free port. */
export interface Api {
  url: string;
  close(): Promise<unknown>;
}

@Controller()
class ReportsController {
  @Get('reports')
  @RequirePermission('reports:download')
  reports(@Req() { token }: { token: VerifiedToken }) {
    return { caller: token.username };
  }

  @Get('open')
  open() {
    return {};
  }
}

@Module({ controllers: [ReportsController] })
class ReportsModule {}

/** `GET /reports` behind `reports:download` and `GET /open`, in each framework that the SDK has something for. */
export const APIS: Record<string, (verifier: TokenVerifier) => Promise<Api>> = {
  async Fastify(verifier) {
    const app = Fastify();
    await app.register(protectFastify, { verifier });
    app.get('/reports', { config: { permission: 'reports:download' } }, (request) => ({
      caller: request.token?.username,
    }));
    app.get('/open', () => ({}));
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },
  async Express(verifier) {
    const app = express();
    const permission = protectExpress({ verifier });
    app.get('/reports', permission('reports:download'), (request, response) => {
      response.json({ caller: (request as ProtectedRequest).token.username });
    });
    app.get('/open', (_request, response) => void response.json({}));
    const listening = await new Promise<Server>((resolve) => {
      const started: Server = app.listen(0, '127.0.0.1', () => resolve(started));
    });
    const { port } = listening.address() as AddressInfo;
    const close = () => new Promise((resolve) => listening.close(resolve));
    return { url: `http://127.0.0.1:${port}`, close };
  },
  async Nest(verifier) {
    const app = await NestFactory.create<NestFastifyApplication>(
      ReportsModule,
      new FastifyAdapter(),
      { logger: false },
    );
    app.useGlobalGuards(new PermissionGuard({ verifier }));
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
  },
};
