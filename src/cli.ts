#!/usr/bin/env node
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { resetPassword } from './auth/sessions.reset-password.js';
import { loadConfig } from './config.js';
import { PasswordHasher, passwordFault } from './crypto/password.js';
import { DatabaseService } from './database/database.service.js';
import { FoundationModule } from './foundation.module.js';
import { explainStart } from './start-errors.js';

const USAGE = `Usage:
  claviger [serve]                         starts the server
  claviger reset-password <email>          sets a new random password and prints it once
  claviger reset-password <email> --stdin  sets the password that standard input holds

Both read their configuration from the same environment variables.`;

const GENERATED_BYTES = 18;

/** What was asked for cannot be done; the message says why. */
class CommandError extends Error {}

try {
  await run(process.argv.slice(2));
} catch (error) {
  const message = error instanceof CommandError ? error.message : explainStart(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

async function run(args: string[]): Promise<void> {
  const { positionals, values } = parse(args);
  const [command = 'serve', ...operands] = positionals;
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
  } else if (command === 'serve' && operands.length === 0 && !values.stdin) {
    await import('./main.js');
  } else if (command === 'reset-password' && operands.length === 1) {
    await reset(operands[0] ?? '', values.stdin);
  } else {
    throw new CommandError(USAGE);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        stdin: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

async function reset(email: string, readsPassword: boolean): Promise<void> {
  const config = loadConfig(process.env);
  const password = readsPassword ? await passwordFromStdin() : newPassword();
  // No more of the server than its foundation: on the embedded database that takes the lock.
  const foundation = await NestFactory.createApplicationContext(FoundationModule.register(config), {
    abortOnError: false,
    logger: false,
  });
  try {
    const passwordHash = await foundation.get(PasswordHasher).hash(password);
    const isReset = await resetPassword(foundation.get(DatabaseService), email, passwordHash);
    if (!isReset) throw new CommandError(`There is no user with the e-mail ${email}.`);
  } finally {
    await foundation.close();
  }
  process.stdout.write(readsPassword ? 'The password is set.\n' : `${password}\n`);
}

async function passwordFromStdin(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  const fault = passwordFault(password);
  if (fault !== undefined) throw new CommandError(`The password ${fault}.`);
  return password;
}

/** 144 random bits, in characters that survive being copied from a terminal. */
function newPassword(): string {
  return randomBytes(GENERATED_BYTES).toString('base64url');
}
