import { createBrowserRouter, Navigate, type RouteObject } from 'react-router';
import { RequireSession } from './session/require-session';
import { Home } from './shell/home';
import { NotFound } from './shell/not-found';
import { OrganizationFrame } from './shell/organization-frame';
import { PageError } from './shell/page-error';
import { Loading } from './ui/loading';

/** The pages of an organization's settings; each is loaded when it is first opened. */
const organizationPages: RouteObject[] = [
  { index: true, element: <Navigate to="service-accounts" replace /> },
  { path: 'service-accounts', lazy: () => import('./service-accounts/service-accounts-page') },
  {
    path: 'service-accounts/:serviceAccountId',
    lazy: () => import('./service-accounts/account-page'),
  },
  { path: 'service-accounts/:serviceAccountId/keys', lazy: () => import('./keys/keys-page') },
  { path: 'users', lazy: () => import('./users/users-page') },
  { path: 'roles', lazy: () => import('./roles/roles-page') },
  { path: 'audit/:eventId?', lazy: () => import('./audit/audit-page') },
  { path: 'general', lazy: () => import('./organization/general-page') },
];

/** All pages. What the server answers with the panel's document is in `src/panel/` there. */
export const routes: RouteObject[] = [
  {
    errorElement: <PageError />,
    hydrateFallbackElement: <Loading />,
    children: [
      { path: '/login', lazy: () => import('./session/login-page') },
      { path: '/setup', lazy: () => import('./session/setup-page') },
      { path: '/invitation', lazy: () => import('./session/invitation-page') },
      { path: '/password-reset', lazy: () => import('./session/password-reset-page') },
      {
        element: <RequireSession />,
        children: [
          {
            lazy: () => import('./shell/shell'),
            children: [
              {
                errorElement: <PageError />,
                children: [
                  { path: '/', element: <Home /> },
                  { path: '/profile', lazy: () => import('./profile/profile-page') },
                  {
                    path: '/organizations/:organizationId',
                    element: <OrganizationFrame />,
                    children: organizationPages,
                  },
                  { path: '*', element: <NotFound /> },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
];

/** The router of the panel. */
export const router: ReturnType<typeof createBrowserRouter> = createBrowserRouter(routes);
