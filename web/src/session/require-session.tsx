import { Navigate, Outlet, useLocation } from 'react-router';
import { Loading } from '../ui/loading';
import { ProblemNotice } from '../ui/notice';
import { useMeQuery } from './session';

/** Lets in who is logged in, and sends everybody else to the login and back. */
export function RequireSession() {
  const query = useMeQuery();
  const { data: me, error } = query;
  const { pathname, search } = useLocation();
  if (me === undefined) return error ? <ProblemNotice error={error} retry={query} /> : <Loading />;
  if (me === null) {
    const next = pathname === '/' ? '' : `?next=${encodeURIComponent(pathname + search)}`;
    return <Navigate to={`/login${next}`} replace />;
  }
  return <Outlet />;
}
