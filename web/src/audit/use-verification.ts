import type { Verification } from '@claviger/sdk';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Chain } from './chain';

/** How many events the server is asked to recompute at a time. */
const STEP = 10_000;

/** How far a verification is, and what it found. */
export interface VerificationRun {
  state: 'idle' | 'running' | 'unbroken' | 'broken' | 'cancelled' | 'failed';
  /** How many events were found good. */
  events: number;
  /** Where the chain ended at the last step. */
  head?: Verification['head'];
  firstBadSequence?: number;
  error?: unknown;
}

/** Verifies a whole chain step by step; leaving the page stops it. */
export function useVerification(chain: Chain): {
  run: VerificationRun;
  start: () => void;
  cancel: () => void;
} {
  const [run, setRun] = useState<VerificationRun>({ state: 'idle', events: 0 });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const work = useMutation({
    mutationFn: (signal: AbortSignal) => verifyAll(chain, setRun, signal),
    onMutate: () => setRun({ state: 'running', events: 0 }),
    onSuccess: setRun,
    onError: (error, { aborted }) =>
      setRun((before) => ({ ...before, state: aborted ? 'cancelled' : 'failed', error })),
  });
  const start = () => {
    running.current = new AbortController();
    work.mutate(running.current.signal);
  };
  return { run, start, cancel: () => running.current?.abort() };
}

async function verifyAll(
  chain: Chain,
  report: (run: VerificationRun) => void,
  signal: AbortSignal,
): Promise<VerificationRun> {
  let events = 0;
  for (let from: number | undefined = 1; ;) {
    const step = await chain.verify(from, STEP, signal);
    events += step.events;
    const { head, firstBadSequence } = step;
    if (!step.valid) return { state: 'broken', events, head, firstBadSequence };
    if (step.next === undefined) return { state: 'unbroken', events, head };
    from = step.next;
    report({ state: 'running', events, head });
  }
}
