import { Bot, Building2, ScrollText, ShieldCheck, Users } from 'lucide-react';
import { createBrowserRouter, type RouteObject } from 'react-router';
import { RequireSession } from './session/require-session';
import { Home } from './shell/home';
import { NotFound } from './shell/not-found';
import { OrganizationFrame } from './shell/organization-frame';
import { FirstPage, RequireAccess } from './shell/page-access';
import { PageError } from './shell/page-error';
import type { SettingsPage } from './shell/settings-pages';
import { Loading } from './ui/loading';

/** The pages of an organization's settings in the order in which they are needed; each is loaded when it is first opened. */
const settingsPages: readonly SettingsPage[] = [
  {
    path: 'service-accounts',
    needs: ['service-accounts:read'],
    menu: { label: 'Service accounts', icon: Bot },
    lazy: () => import('./service-accounts/service-accounts-page'),
  },
  {
    path: 'service-accounts/:serviceAccountId',
    needs: ['service-accounts:read'],
    lazy: () => import('./service-accounts/account-page'),
  },
  {
    path: 'service-accounts/:serviceAccountId/keys',
    needs: ['service-accounts:read', 'keys:read'],
    lazy: () => import('./keys/keys-page'),
  },
  {
    path: 'users',
    needs: ['users:read'],
    menu: { label: 'Users', icon: Users },
    lazy: () => import('./users/users-page'),
  },
  {
    path: 'roles',
    needs: ['roles:read'],
    menu: { label: 'Roles', icon: ShieldCheck },
    lazy: () => import('./roles/roles-page'),
  },
  {
    path: 'audit/:eventId?',
    needs: ['audit:read'],
    forInstanceAdministrators: true,
    menu: { label: 'Audit trail', icon: ScrollText },
    lazy: () => import('./audit/audit-page'),
  },
  {
    path: 'general',
    needs: ['organization:read'],
    menu: { label: 'Organization', icon: Building2 },
    lazy: () => import('./organization/general-page'),
  },
];

const organizationRoutes: RouteObject[] = [
  { index: true, element: <FirstPage pages={settingsPages} /> },
  ...settingsPages.map((page): RouteObject => ({
    element: <RequireAccess page={page} />,
    children: [{ path: page.path, lazy: page.lazy }],
  })),
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
            lazy: async () => {
              const { Shell } = await import('./shell/shell');
              return { element: <Shell pages={settingsPages} /> };
            },
            children: [
              {
                errorElement: <PageError />,
                children: [
                  { path: '/', element: <Home /> },
                  { path: '/profile', lazy: () => import('./profile/profile-page') },
                  {
                    path: '/organizations/:organizationId',
                    element: <OrganizationFrame />,
                    children: organizationRoutes,
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
