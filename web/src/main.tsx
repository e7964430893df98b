import '@fontsource-variable/inter/wght.css';
import './theme.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { queryClient } from './api/query-client';
import { router } from './routes';
import { onDemand } from './ui/on-demand';

const Toasts = onDemand(() => import('./ui/toast-list').then((module) => module.Toasts));

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {/* The policy of the page forbids style elements; what they would say is in the style sheets. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
