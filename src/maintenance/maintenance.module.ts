import { Module } from '@nestjs/common';
import { Sweeper } from './sweeper.js';

/** What the server does with its database by itself; the trail has its own (`audit/trail-care.ts`). */
@Module({ providers: [Sweeper] })
export class MaintenanceModule {}
