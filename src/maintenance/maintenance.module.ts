import { Module } from '@nestjs/common';
import { PepperRotation } from './pepper-rotation.js';
import { Sweeper } from './sweeper.js';

/** What the server does with its database by itself; the trail has its own (`audit/trail-care.ts`). */
@Module({ providers: [PepperRotation, Sweeper] })
export class MaintenanceModule {}
