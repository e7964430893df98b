import { useEffect, useState } from 'react';

/** What became of copying: nothing yet, done a moment ago, or refused. */
export type Copied = 'no' | 'yes' | 'failed';

const SHOWN_MS = 4_000;

/** Copies a text to the clipboard, which browsers give to pages on https and localhost only. That it is done is told for a while. */
export function useCopy(): [Copied, (text: string) => Promise<Copied>] {
  const [copied, setCopied] = useState<Copied>('no');
  useEffect(() => {
    if (copied !== 'yes') return;
    const timer = setTimeout(() => setCopied('no'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (text: string) => {
    const outcome = await write(text);
    setCopied(outcome);
    return outcome;
  };
  return [copied, copy];
}

async function write(text: string): Promise<Copied> {
  try {
    await navigator.clipboard.writeText(text);
    return 'yes';
  } catch {
    return 'failed';
  }
}
