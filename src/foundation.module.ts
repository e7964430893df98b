import { type DynamicModule, Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from './config.js';
import { PasswordHasher } from './crypto/password.js';
import { InstanceSecret } from './crypto/instance-secret.js';
import { Pepper } from './crypto/pepper.js';
import { Seals } from './crypto/seal.js';
import { DatabaseModule } from './database/database.module.js';
import { DatabaseService } from './database/database.service.js';
import { Instance, openInstance } from './database/instance.js';
import { LongAnswers } from './http/long-answers.js';
import { CursorCodec } from './http/pagination.js';
import { type Tracing, TRACING } from './tracing/tracing.js';

/** What every slice may inject: configuration, database, the instance's secrets and their codecs. */
@Global()
@Module({})
export class FoundationModule {
  static register(config: Config, tracing?: Tracing): DynamicModule {
    const traces = tracing === undefined ? [] : [{ provide: TRACING, useValue: tracing }];
    return {
      module: FoundationModule,
      imports: [DatabaseModule],
      providers: [
        { provide: CONFIG, useValue: config },
        {
          provide: Instance,
          inject: [DatabaseService],
          useFactory: async (database: DatabaseService): Promise<Instance> => {
            await database.open();
            return openInstance(database, config);
          },
        },
        { provide: Pepper, inject: [Instance], useFactory: ({ pepper }: Instance) => pepper },
        {
          provide: InstanceSecret,
          inject: [Instance],
          useFactory: ({ secret }: Instance) => secret,
        },
        {
          provide: CursorCodec,
          inject: [InstanceSecret],
          useFactory: (secret: InstanceSecret) => new CursorCodec(secret.derive('cursor')),
        },
        {
          provide: Seals,
          inject: [DatabaseService, InstanceSecret],
          // From here on the database can write events.
          useFactory: (database: DatabaseService, secret: InstanceSecret) =>
            (database.seals = new Seals(secret.derive('audit-seal'))),
        },
        PasswordHasher,
        LongAnswers,
        ...traces,
      ],
      exports: [
        CONFIG,
        Instance,
        Pepper,
        InstanceSecret,
        Seals,
        CursorCodec,
        PasswordHasher,
        LongAnswers,
        ...traces,
      ],
    };
  }
}
