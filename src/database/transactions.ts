import type {
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQuery,
  Transaction as AdapterTransaction,
} from '@prisma/driver-adapter-utils';
import { Prisma, PrismaClient } from '../generated/prisma/client.js';
import { type Backend, type LastCall, type OpenTransaction, TIMEOUTS } from './connections.js';
import { DatabaseUnavailableError } from './errors.js';
import type { Tx } from './events.js';

/** A transaction that Prisma is about to open, and once it has, what it goes through. */
interface Opening {
  enter: string;
  opened?: OpenTransaction;
  /** By COMMIT, by ROLLBACK, or because it took too long: somebody else may have the connection already. */
  hasEnded: boolean;
  /** Resolved by `take`, when Prisma has come for it. */
  taken: Promise<void>;
  take: () => void;
}

/**
 * Prisma's transactions, each a transaction of ours that it is handed: its models go through Prisma, raw statements on
 * the same connection to the driver, which spares the processor time of Prisma's interpreter.
 */
export class Transactions {
  private readonly prisma: PrismaClient;
  /** What the next transaction that Prisma starts is for. */
  private expected: Opening | undefined;

  constructor(private readonly backend: Backend) {
    const { provider, adapterName } = backend.adapter;
    const adapter: SqlDriverAdapterFactory = {
      provider,
      adapterName,
      connect: async () => {
        const inner = await backend.adapter.connect();
        inner.startTransaction = () => this.start();
        return inner;
      },
    };
    this.prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  }

  /** Connects. Errors: the driver's. */
  connect(): Promise<void> {
    return this.prisma.$connect();
  }

  /** Rolls back what runs, and disconnects. */
  disconnect(): Promise<void> {
    return this.prisma.$disconnect();
  }

  /**
   * Runs `work` in one transaction that begins with the statement `enter`; the one that `last` answers is run together
   * with COMMIT. Errors: those of `work`, Prisma's and the driver's.
   */
  async run<T>(
    enter: string,
    work: (tx: Tx) => Promise<T>,
    last: (tx: Tx) => LastCall | undefined,
  ): Promise<T> {
    // Prisma does not say for whom it starts a transaction, so one at a time is on the way to it; for microtasks only.
    while (this.expected !== undefined) await this.expected.taken;
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    const opening: Opening = { enter, hasEnded: false, taken, take };
    this.expected = opening;
    const running = this.prisma.$transaction(
      async (prismaTx) => {
        const { opened } = opening;
        if (opened === undefined) throw new Error('Prisma opened another transaction than ours');
        const tx = withRawStatements(prismaTx, opened, opening);
        const result = await work(tx);
        opened.last = last(tx);
        return result;
      },
      { maxWait: this.backend.patience.start, timeout: TIMEOUTS.transaction },
    );
    try {
      return await running;
    } finally {
      // Prisma gave up before it came: nobody else may get this one.
      if (this.expected === opening) this.take();
    }
  }

  private async start(): Promise<AdapterTransaction> {
    const opening = this.take();
    if (opening === undefined) throw new Error('Prisma starts a transaction that nobody expects');
    opening.opened = await this.backend.begin(opening.enter);
    return toAdapterTransaction(this.backend.adapter, opening.opened, opening);
  }

  private take(): Opening | undefined {
    const opening = this.expected;
    this.expected = undefined;
    opening?.take();
    return opening;
  }
}

/** What Prisma's models use of a transaction. */
function toAdapterTransaction(
  { provider, adapterName }: SqlDriverAdapterFactory,
  opened: OpenTransaction,
  opening: Opening,
): AdapterTransaction {
  let adapter: Promise<SqlDriverAdapter> | undefined;
  const models = () => (adapter ??= opened.adapter());
  return {
    provider,
    adapterName,
    // COMMIT and ROLLBACK are ours.
    options: { usePhantomQuery: true },
    queryRaw: async (query: SqlQuery) => (await models()).queryRaw(query),
    executeRaw: async (query: SqlQuery) => (await models()).executeRaw(query),
    commit: () => {
      opening.hasEnded = true;
      return opened.commit();
    },
    rollback: () => {
      opening.hasEnded = true;
      return opened.rollback();
    },
  };
}

type Statement = readonly string[] | Prisma.Sql;

/** The transaction with its four raw methods past Prisma. Rows are as `RawConnection` promises them. */
function withRawStatements(tx: Tx, opened: OpenTransaction, opening: Opening): Tx {
  const run = (text: string, values: unknown[]) => {
    if (opening.hasEnded) throw new DatabaseUnavailableError('the transaction has ended');
    return opened.query(text, values);
  };
  const runSql = (statement: Statement, values: unknown[]) => {
    const sql = statement instanceof Prisma.Sql ? statement : Prisma.sql(statement, ...values);
    return run(sql.text, sql.values);
  };
  const raw = {
    $queryRaw: async (statement: Statement, ...values: unknown[]) =>
      (await runSql(statement, values)).rows,
    $executeRaw: async (statement: Statement, ...values: unknown[]) =>
      (await runSql(statement, values)).affected,
    $queryRawUnsafe: async (text: string, ...values: unknown[]) => (await run(text, values)).rows,
    $executeRawUnsafe: async (text: string, ...values: unknown[]) =>
      (await run(text, values)).affected,
  };
  const methods = Object.entries(raw).map(([name, value]) => [name, { value }]);
  // Defined and not assigned: Prisma's client is a proxy, which would get the assignments.
  return Object.create(tx, Object.fromEntries(methods) as PropertyDescriptorMap) as Tx;
}
