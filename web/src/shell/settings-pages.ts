import type { LucideIcon } from 'lucide-react';
import type { RouteObject } from 'react-router';
import { permits, useMe, useOrganization } from '../session/session';

/** A page of an organization's settings: where it is, and who may open it. */
export interface SettingsPage {
  /** Below the organization's address. */
  path: string;
  /** What the server asks for before it answers what the page shows. */
  needs: readonly string[];
  /** Instance administrators find something of their own on it, whatever they may do in the organization. */
  forInstanceAdministrators?: boolean;
  /** How the navigation shows it; pages without are reached from others. */
  menu?: { label: string; icon: LucideIcon };
  lazy: RouteObject['lazy'];
}

/** The first part of a page's path, which opens it: `audit` of `audit/:eventId?`. */
export function entryOf({ path }: SettingsPage): string {
  return path.split('/')[0] ?? path;
}

/** What the person lacks for a page of the organization of this address; `[]`: they may open it. */
export function useMissing(): (
  page: Pick<SettingsPage, 'needs' | 'forInstanceAdministrators'>,
) => string[] {
  const organization = useOrganization();
  const { instanceAdministrator } = useMe();
  return ({ needs, forInstanceAdministrators = false }) =>
    forInstanceAdministrators && instanceAdministrator
      ? []
      : needs.filter((permission) => !permits(organization, permission));
}
