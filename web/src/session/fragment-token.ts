import { useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

/**
 * The one-time token behind `#token=` of a link; undefined without one. It is kept in memory alone, and taken out of the
 * address at once, so that neither the history nor a bookmark has it.
 */
export function useFragmentToken(): string | undefined {
  const { hash, pathname, search } = useLocation();
  const navigate = useNavigate();
  const found = tokenIn(hash);
  const [token, setToken] = useState(found);
  // Another link may be opened in the same tab, which does not load the page again.
  if (found !== null && found !== token) setToken(found);
  useEffect(() => {
    if (found !== null) void navigate({ pathname, search }, { replace: true });
  }, [found, pathname, search, navigate]);
  return token || undefined;
}

/** What stands behind `token=` in a fragment, `''` included; null without it. */
export function tokenIn(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, '')).get('token');
}
