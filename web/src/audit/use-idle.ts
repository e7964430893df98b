import { useEffect, useState } from 'react';

const ACTIVITY = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove'] as const;

/**
 * Whether nobody has touched the page for so long, since `isOn`; then it stays so until `restart`. Coming back is no reason to go on:
 * whoever does sees that something had stopped.
 */
export function useIdle(isOn: boolean, afterMs: number): { isIdle: boolean; restart: () => void } {
  const [isIdle, setIdle] = useState(false);
  const isWatching = isOn && !isIdle;
  useEffect(() => {
    if (!isWatching) return;
    let timer: ReturnType<typeof setTimeout>;
    const begin = () => {
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), afterMs);
    };
    begin();
    for (const name of ACTIVITY) window.addEventListener(name, begin, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const name of ACTIVITY) window.removeEventListener(name, begin);
    };
  }, [isWatching, afterMs]);
  return { isIdle: isOn && isIdle, restart: () => setIdle(false) };
}
