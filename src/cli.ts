#!/usr/bin/env node
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { CommandError } from './commands/command-error.js';

const USAGE = `Usage:
  claviger [serve]                         starts the server
  claviger reset-password <email>          sets a new random password and prints it once
  claviger reset-password <email> --stdin  sets the password that standard input holds
  claviger backup <file>                   writes the embedded database into one file; the server must not run
  claviger restore <file>                  puts it back; the server must not run
      --force                              in the place of a database that is there, which is kept beside it
  claviger accept-restore                  accepts that an older backup of the database was restored
  claviger verify <export.ndjson>          checks an export of the audit trail; needs no server
      --checkpoints <file>                 against these checkpoints and tombstones; may be given several times
      --key <public key>                   which nobody else may have signed
      --exported-at <time>                 made at this time: later checkpoints cannot be in it

All but verify read their configuration from the same environment variables as the server.`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  stdin: { type: 'boolean' },
  force: { type: 'boolean' },
  checkpoints: { type: 'string', multiple: true },
  key: { type: 'string' },
  'exported-at': { type: 'string' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** Each command: the options that it has, how many operands, and what it does. Loaded when needed: verify is without a server. */
const COMMANDS: Record<
  string,
  {
    options: (keyof typeof OPTIONS)[];
    operands: number;
    run(operand: string, values: Values): Promise<unknown>;
  }
> = {
  serve: { options: [], operands: 0, run: () => import('./main.js') },
  'reset-password': {
    options: ['stdin'],
    operands: 1,
    run: async (email, { stdin = false }) =>
      (await import('./commands/reset-password.js')).resetPasswordCommand(email, stdin),
  },
  backup: {
    options: [],
    operands: 1,
    run: async (file) => (await import('./commands/backup.js')).backupCommand(file),
  },
  restore: {
    options: ['force'],
    operands: 1,
    run: async (file, { force = false }) =>
      (await import('./commands/restore.js')).restoreCommand(file, force),
  },
  'accept-restore': {
    options: [],
    operands: 0,
    run: async () => (await import('./commands/accept-restore.js')).acceptRestoreCommand(),
  },
  verify: {
    options: ['checkpoints', 'key', 'exported-at'],
    operands: 1,
    run: async (file, { checkpoints = [], key, 'exported-at': exportedAt }) =>
      (await import('./commands/verify.js')).verifyCommand(file, { checkpoints, key, exportedAt }),
  },
};

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${await explain(error)}\n`);
  process.exitCode = 1;
}

async function run(args: string[]): Promise<void> {
  const { positionals, values } = parse(args);
  const [name = 'serve', ...operands] = positionals;
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const command = COMMANDS[name];
  const given = Object.keys(values).filter((option) => option !== 'help');
  const isRight =
    operands.length === command?.operands &&
    given.every((option) => (command.options as string[]).includes(option));
  if (command === undefined || !isRight) throw new CommandError(USAGE);
  await command.run(operands[0] ?? '', values);
}

function parse(args: string[]) {
  try {
    return parseArgs({ args: withKeyJoined(args), allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** One public key in 64 begins with a dash, which Node takes for another option. */
function withKeyJoined(args: string[]): string[] {
  const at = args.indexOf('--key');
  const key = args[at + 1];
  if (at === -1 || key === undefined) return args;
  return [...args.slice(0, at), `--key=${key}`, ...args.slice(at + 2)];
}

async function explain(error: unknown): Promise<string> {
  if (error instanceof CommandError) return error.message;
  return (await import('./start-errors.js')).explainStart(error);
}
