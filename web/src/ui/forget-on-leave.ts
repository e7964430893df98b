import { useEffect, useRef } from 'react';
import { flushSync } from 'react-dom';

/**
 * Calls `forget`, which drops a secret that is shown, before the page is left for another document. A browser may keep the
 * page as it stands for its Back button; the server asks it not to, but not every proxy passes that on.
 */
export function useForgetOnLeave(forget: () => void): void {
  const latest = useRef(forget);
  useEffect(() => {
    latest.current = forget;
  });
  useEffect(() => {
    // At once: what waits for its turn would be done when the page comes back.
    const leave = () => flushSync(() => latest.current());
    window.addEventListener('pagehide', leave);
    return () => window.removeEventListener('pagehide', leave);
  }, []);
}
