import type { AuditEvent, AuditEventPage, Verification } from '@claviger/sdk';
import { api } from '../api/client';
import type { Membership } from '../session/session';
import type { ExportFormat } from '../export/row-counter';
import type { AuditFilters } from './filters';

/** A trail that can be read: an organization's, or the server's own. */
export interface Chain {
  /** Whose it is, for names of files. */
  of: string;
  queryKey: readonly unknown[];
  list(
    query: AuditFilters & { limit: number; after?: string },
    signal: AbortSignal,
  ): PromiseLike<AuditEventPage>;
  get(eventId: string, signal: AbortSignal): Promise<AuditEvent>;
  verify(fromSequence: number, limit: number, signal: AbortSignal): Promise<Verification>;
  download(
    query: AuditFilters & { format: ExportFormat },
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
}

/** The trail of an organization. */
export function organizationChain({ id, name }: Pick<Membership, 'id' | 'name'>): Chain {
  return {
    of: name,
    queryKey: ['organizations', id, 'audit-events'],
    list: (query, signal) => api.auditEvents.list({ organizationId: id, ...query }, { signal }),
    get: (eventId, signal) => api.auditEvents.get({ organizationId: id, eventId }, { signal }),
    verify: (fromSequence, limit, signal) =>
      api.auditEvents.verify({ organizationId: id, fromSequence, limit }, { signal }),
    download: (query, signal) =>
      api.exports.auditEvents({ organizationId: id, ...query }, { signal }),
  };
}

/** What belongs to no organization: logins, set-up, strangers. For instance administrators. */
export const serverChain: Chain = {
  of: 'server',
  queryKey: ['audit-events'],
  list: (query, signal) => api.instanceAuditEvents.list(query, { signal }),
  get: (eventId, signal) => api.instanceAuditEvents.get({ eventId }, { signal }),
  verify: (fromSequence, limit, signal) =>
    api.instanceAuditEvents.verify({ fromSequence, limit }, { signal }),
  download: (query, signal) => api.exports.instanceAuditEvents(query, { signal }),
};
