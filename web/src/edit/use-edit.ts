import { etagOf } from '@claviger/sdk';
import { useMutation, type UseMutationResult } from '@tanstack/react-query';
import { useState } from 'react';
import { isProblem } from '../api/client';
import { differences, type Difference, rebased } from './rebase';

/** A form over a resource, kept from undoing what somebody else changes meanwhile. */
export interface Edit<T, D> {
  /** The resource as the person has seen it. */
  seen: T;
  draft: D;
  change: (part: Partial<D>) => void;
  save: UseMutationResult<T, Error, void>;
  /** What somebody else has changed meanwhile; empty when nobody did. */
  overtaken: readonly Difference[];
}

/** What a form knows of its resource. */
export interface Editing<T, D> {
  toDraft: (resource: T) => D;
  /** What the fields say of it, by their labels. */
  facts: (resource: T) => Record<string, string>;
  save: (draft: D, condition: { seen: T; ifMatch: string | undefined }) => Promise<T>;
  /** Reads it anew. */
  read: () => Promise<T>;
  onSaved: (saved: T) => unknown;
}

/**
 * The draft of a form, which is saved on the condition that the resource is still the one that was seen. When it is not, `save`
 * fails with `precondition_failed` and `overtaken` tells what is there now; the draft stays, its untouched fields follow, and saving
 * again is based on what has been seen then. A change that the form does not show is no reason to ask.
 */
export function useEdit<T extends object, D extends object>(
  resource: T,
  { toDraft, facts, save, read, onSaved }: Editing<T, D>,
): Edit<T, D> {
  const begin = (seen: T) => ({ seen, draft: toDraft(seen), overtaken: [] as Difference[] });
  const [state, setState] = useState(() => begin(resource));
  const mutation = useMutation({
    mutationFn: async () => {
      const { draft, seen } = state;
      try {
        return await save(draft, { seen, ifMatch: etagOf(seen) });
      } catch (error) {
        if (!isProblem(error, 'precondition_failed')) throw error;
        const now = await read();
        const overtaken = differences(facts(seen), facts(now));
        if (overtaken.length === 0) return save(draft, { seen: now, ifMatch: etagOf(now) });
        setState((before) => ({
          seen: now,
          draft: rebased(before.draft, toDraft(seen), toDraft(now)),
          overtaken,
        }));
        throw error;
      }
    },
    onSuccess: async (saved) => {
      setState(begin(saved));
      await onSaved(saved);
    },
  });
  return {
    ...state,
    change: (part) => setState((before) => ({ ...before, draft: { ...before.draft, ...part } })),
    save: mutation,
  };
}
