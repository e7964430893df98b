import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { loadConfig } from '../config.js';
import { FoundationModule } from '../foundation.module.js';

/**
 * Runs work with no more of the server than its foundation, configured by the environment. On the embedded database that takes the
 * lock: the server must not be running.
 */
export async function withFoundation<T>(
  work: (foundation: INestApplicationContext) => Promise<T>,
): Promise<T> {
  const foundation = await NestFactory.createApplicationContext(
    FoundationModule.register(loadConfig(process.env)),
    { abortOnError: false, logger: false },
  );
  try {
    return await work(foundation);
  } finally {
    await foundation.close();
  }
}
