import type { Session } from '@claviger/sdk';
import { ProblemError } from '@claviger/sdk';
import { api } from '../api/client';

/** The key of the queries of one's own sessions. */
export const MY_SESSIONS = ['sessions'] as const;

/** How far {@link endOtherSessions} has come. */
export interface Progress {
  done: number;
  total: number;
}

/** Ends one of the caller's sessions; one that has ended meanwhile is as good as ended. */
export async function endSession(sessionId: string): Promise<void> {
  try {
    await api.sessions.end({ sessionId });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 404) throw error;
  }
}

/** Ends all sessions of the caller but this one, one after the other; tells how many. */
export async function endOtherSessions(onProgress: (progress: Progress) => void): Promise<number> {
  const others: Session[] = [];
  for await (const session of api.sessions.list({ limit: 100 })) {
    if (!session.current) others.push(session);
  }
  for (const [done, { id }] of others.entries()) {
    onProgress({ done, total: others.length });
    await endSession(id);
  }
  return others.length;
}
