// The same constant under Nest. Decorators are functions: applied by hand they need no compiler.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ready } from './ready.mjs';

class ConstantController {
  constant() {
    return { status: 'ok' };
  }
}
Controller()(ConstantController);
const { prototype } = ConstantController;
Get('constant')(prototype, 'constant', Object.getOwnPropertyDescriptor(prototype, 'constant'));

class ConstantModule {}
Module({ controllers: [ConstantController] })(ConstantModule);

const app = await NestFactory.create(ConstantModule, new FastifyAdapter(), { logger: false });
await app.listen(0, '127.0.0.1');
ready(app.getHttpServer());
