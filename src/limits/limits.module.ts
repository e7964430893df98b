import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthModule } from '../auth/auth.module.js';
import { CONFIG, type Config } from '../config.js';
import { LimitsGuard } from './limits.guard.js';
import { WINDOW_SECONDS } from './rate-limit.js';
import { RequestCounter } from './request-counter.js';
import { RequestLimits } from './request-limits.js';

/** Limits of requests by credential and operation. Imported after AuthModule: its guard comes after those two. */
@Module({
  imports: [AuthModule],
  providers: [
    {
      provide: RequestCounter,
      inject: [CONFIG],
      useFactory: ({ redisUrl }: Config) =>
        new RequestCounter({ windowSeconds: WINDOW_SECONDS, redisUrl }),
    },
    RequestLimits,
    { provide: APP_GUARD, useClass: LimitsGuard },
  ],
  exports: [RequestLimits],
})
export class LimitsModule {}
