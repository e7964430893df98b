import { useCallback, useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';

const TYPING_MS = 250;

/** The filters of a list, in the page's address: a link to it shows the same list. */
export interface SearchFilters {
  /** A filter's value; `''` when it is not set. */
  get: (name: string) => string;
  /** Sets filters; `''` takes one away. */
  set: (values: Record<string, string>) => void;
  /** Whether any of these is set. */
  has: (...names: string[]) => boolean;
}

/** Reads and writes the filters in the address, without a step in the browser's history for each. */
export function useSearchFilters(): SearchFilters {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (values: Record<string, string>) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(values)) {
            if (value === '') after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return {
    get: (name) => params.get(name) ?? '',
    set,
    has: (...names) => names.some((name) => params.has(name)),
  };
}

/** What a text was when its typing paused. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
