import { Menu } from '@base-ui/react/menu';
import { Check, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { logOut, useMe } from '../session/session';
import { DropDown, menuItemClass } from '../ui/menu';
import { toast } from '../ui/toast';
import styles from './switcher.module.css';
import { chooseTheme, chosenTheme, type Theme } from './theme';

const THEMES = [
  { theme: 'system', label: 'As the system', icon: Monitor },
  { theme: 'light', label: 'Light', icon: Sun },
  { theme: 'dark', label: 'Dark', icon: Moon },
] as const;

/** Who is logged in: their profile, the theme, the way out. */
export function UserMenu({ compact = false }: { compact?: boolean }) {
  const me = useMe();
  const navigate = useNavigate();
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  return (
    <DropDown
      align={compact ? 'end' : 'start'}
      trigger={
        <Menu.Trigger className={styles.person} aria-label={`Account of ${me.name}`}>
          <span className={styles.initials} aria-hidden>
            {initials(me.name)}
          </span>
          {!compact && (
            <span className={styles.item}>
              <span className={styles.name}>{me.name}</span>
              <span className={`${styles.role} ${styles.name}`}>{me.email}</span>
            </span>
          )}
        </Menu.Trigger>
      }
    >
      <Menu.Item className={menuItemClass} onClick={() => void navigate('/profile')}>
        <UserRound aria-hidden /> Profile and sessions
      </Menu.Item>
      <div className={styles.separator} />
      <Menu.RadioGroup
        value={theme}
        onValueChange={(chosen: Theme) => {
          setTheme(chosen);
          chooseTheme(chosen);
        }}
      >
        {THEMES.map(({ theme: one, label, icon: Icon }) => (
          <Menu.RadioItem key={one} value={one} className={menuItemClass}>
            <Icon aria-hidden />
            <span className={styles.item}>{label}</span>
            <Menu.RadioItemIndicator>
              <Check aria-hidden />
            </Menu.RadioItemIndicator>
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
      <div className={styles.separator} />
      <Menu.Item className={menuItemClass} onClick={() => void logOut().catch(sayStillThere)}>
        <LogOut aria-hidden /> Log out
      </Menu.Item>
    </DropDown>
  );
}

function sayStillThere(): void {
  toast('You are still logged in: the server could not do it. Try again.');
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase();
}
