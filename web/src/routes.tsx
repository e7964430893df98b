import { createBrowserRouter, Navigate, type RouteObject } from 'react-router';
import { LoginPage } from './session/login-page';
import { RequireSession } from './session/require-session';
import { Home } from './shell/home';
import { NotFound } from './shell/not-found';
import { OrganizationFrame } from './shell/organization-frame';
import { PageError } from './shell/page-error';
import { Shell } from './shell/shell';
import { Loading } from './ui/loading';

/** The pages of an organization's settings; each is loaded when it is first opened. */
const organizationPages: RouteObject[] = [
  { index: true, element: <Navigate to="service-accounts" replace /> },
  { path: 'service-accounts', lazy: () => import('./service-accounts/service-accounts-page') },
  { path: 'roles', lazy: () => import('./roles/roles-page') },
