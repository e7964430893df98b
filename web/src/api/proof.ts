import { useSyncExternalStore } from 'react';

/** Requests that wait for somebody to prove their password: all of them for one dialog. */
export interface WaitingProof {
  /** Ends the wait: true when the password is proved, false when its person would rather not. */
  settle: (isProved: boolean) => void;
  answer: Promise<boolean>;
}

let waiting: WaitingProof | undefined;
const watchers = new Set<() => void>();

/**
 * The answer to a request. When the server first wants a fresh proof of the password, whoever is there is asked for it, and the
 * request is sent once more; the refusal is the answer when they would rather not.
 */
export async function withProof(send: () => Promise<Response>): Promise<Response> {
  const response = await send();
  if (!wantsProof(response) || !(await askForProof())) return response;
  return send();
}

/** What waits for a proof now. */
export function useWaitingProof(): WaitingProof | undefined {
  return useSyncExternalStore(watch, () => waiting);
}

/** Nobody is there any more who could be asked. */
export function giveUpProof(): void {
  waiting?.settle(false);
}

/** The challenge of RFC 9470. */
function wantsProof({ status, headers }: Response): boolean {
  const challenge = headers.get('WWW-Authenticate') ?? '';
  return status === 401 && challenge.includes('error="insufficient_user_authentication"');
}

function askForProof(): Promise<boolean> {
  if (waiting === undefined) {
    let answered: (isProved: boolean) => void;
    const answer = new Promise<boolean>((resolve) => (answered = resolve));
    const settle = (isProved: boolean) => {
      setWaiting(undefined);
      answered(isProved);
    };
    setWaiting({ answer, settle });
  }
  return waiting!.answer;
}

function setWaiting(next: WaitingProof | undefined): void {
  waiting = next;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
