import { KeyRound } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { useMembership, useOrganization } from '../session/session';
import { OrganizationSwitcher } from './organization-switcher';
import { entryOf, type SettingsPage, useMissing } from './settings-pages';
import styles from './shell.module.css';
import { UserMenu } from './user-menu';

/** What stands around every page: whose settings these are, where one can go, who is logged in. */
export function Shell({ pages }: { pages: readonly SettingsPage[] }) {
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
        {useMembership() && <Navigation pages={pages} />}
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

function Navigation({ pages }: { pages: readonly SettingsPage[] }) {
  const { id } = useOrganization();
  const missing = useMissing();
  const readable = pages.filter((page) => missing(page).length === 0);
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // On a narrow screen the links are a row that may be longer than the screen.
  useEffect(() => {
    nav.current
      ?.querySelector('[aria-current=page]')
      ?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname]);
  if (readable.length === 0) return null;
  return (
    <nav ref={nav} className={styles.nav} aria-label="Settings">
      <p className={styles.navTitle}>Settings</p>
      {readable.map(
        (page) =>
          page.menu && (
            <NavLink
              key={page.path}
              to={`/organizations/${id}/${entryOf(page)}`}
              className={styles.link}
            >
              <page.menu.icon aria-hidden />
              {page.menu.label}
            </NavLink>
          ),
      )}
    </nav>
  );
}
