import { Module } from '@nestjs/common';
import { MeController } from './me.controller.js';
import { MeService } from './me.service.js';
import { SessionsModule } from './sessions.module.js';

/** `/v1/me`: the caller. */
@Module({ imports: [SessionsModule], controllers: [MeController], providers: [MeService] })
export class MeModule {}
