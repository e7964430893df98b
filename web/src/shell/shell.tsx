import { NavLink, Outlet, Link } from 'react-router';
import { Bot, Building2, KeyRound, ScrollText, ShieldCheck, Users } from 'lucide-react';
import { useMembership } from '../session/session';
import { OrganizationSwitcher } from './organization-switcher';
import styles from './shell.module.css';
import { UserMenu } from './user-menu';

/** The settings of an organization, in the order in which they are needed; each asks for a permission. */
const PAGES = [
  {
    path: 'service-accounts',
    label: 'Service accounts',
    icon: Bot,
    needs: 'service-accounts:read',
  },
  { path: 'users', label: 'Users', icon: Users, needs: 'users:read' },
  { path: 'roles', label: 'Roles', icon: ShieldCheck, needs: 'roles:read' },
  { path: 'audit', label: 'Audit trail', icon: ScrollText, needs: 'audit:read' },
  { path: 'general', label: 'Organization', icon: Building2, needs: 'organization:read' },
] as const;

/** What stands around every page: whose settings these are, where one can go, who is logged in. */
export function Component() {
  const organization = useMembership();
  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        Skip to content
      </a>
      <div className={styles.side}>
        <div className={styles.top}>
          <Link to="/" className={styles.brand}>
            <span className={styles.mark}>
              <KeyRound aria-hidden />
            </span>
            Claviger
          </Link>
          <div className={styles.switcher}>
            <OrganizationSwitcher />
          </div>
          <div className={styles.userSmall}>
            <UserMenu compact />
          </div>
        </div>
        {organization && (
          <nav className={styles.nav} aria-label="Settings">
            <p className={styles.navTitle}>Settings</p>
            {PAGES.filter(({ needs }) => organization.permissions.includes(needs)).map(
              ({ path, label, icon: Icon }) => (
                <NavLink
                  key={path}
                  to={`/organizations/${organization.id}/${path}`}
                  className={styles.link}
                >
                  <Icon aria-hidden />
                  {label}
                </NavLink>
              ),
            )}
          </nav>
        )}
        <div className={styles.user}>
          <UserMenu />
        </div>
      </div>
      <main id="content" tabIndex={-1} className={styles.main}>
        <div className={styles.page}>
          <Outlet />
        </div>
      </main>
    </div>
  );
}
