import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import { unavailable } from '../http/problem.js';

/** Whether this server should get requests. */
@Injectable()
export class HealthService implements OnModuleDestroy {
  private readonly logger = new Logger('health');
  private closing = false;

  constructor(private readonly database: DatabaseService) {}

  /** The first thing that Nest calls when it shuts down: from now on not ready, while requests are still answered. */
  onModuleDestroy(): void {
    this.closing = true;
  }

  /** @throws Problem 503 `not_ready` while closing or without a database */
  async assertReady(): Promise<void> {
    if (this.closing) throw unavailable('not_ready', 'The server is shutting down.');
    try {
      await this.database.ping();
    } catch (error) {
      this.logger.warn('the database does not answer', { error });
      throw unavailable('not_ready', 'The database does not answer.');
    }
  }
}
