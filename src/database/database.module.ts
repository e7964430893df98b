import { Global, Module } from '@nestjs/common';
import { DatabaseService } from './database.service.js';

/** Global, so that it starts before everything that uses it and ends after. */
@Global()
@Module({ providers: [DatabaseService], exports: [DatabaseService] })
export class DatabaseModule {}
