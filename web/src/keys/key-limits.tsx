import { useId, useState } from 'react';
import { reasonsAt } from '../api/client';
import { useLacking, useRoles } from '../roles/use-roles';
import { useCan, useOrganization } from '../session/session';
import { CheckField } from '../ui/check-field';
import { TextAreaField } from '../ui/field';
import styles from './key-limits.module.css';

/** What narrows a key, as it is filled in. */
export interface LimitsDraft {
  /** Null: all that the role permits. */
  permissions: string[] | null;
  /** One network a line. */
  cidrs: string;
}

/** A key that may do all of its role, from anywhere. */
const NO_LIMITS: LimitsDraft = { permissions: null, cidrs: '' };

/** What the API wants to hear. */
export function limitsOf({ permissions, cidrs }: LimitsDraft): {
  permissions: string[] | null;
  allowedCidrs: string[];
} {
  return { permissions, allowedCidrs: cidrs.split(/[\s,]+/).filter(Boolean) };
}

/** The limits of a new key, until others are set: none, or for a role that permits more than the person, what both may. */
export function useNewLimits(roleKey: string): [LimitsDraft, (limits: LimitsDraft) => void] {
  const [limits, setLimits] = useState<LimitsDraft>(NO_LIMITS);
  const role = useRoles()?.find(({ key }) => key === roleKey);
  const can = useCan();
  const isTooMuch = limits.permissions === null && role?.permissions.some((one) => !can(one));
  return [
    isTooMuch ? { ...limits, permissions: role!.permissions.filter(can) } : limits,
    setLimits,
  ];
}

/** Narrows a key to some of its role's permissions, and to some networks. */
export function KeyLimits({
  roleKey,
  draft,
  onChange,
  before,
  error,
}: {
  roleKey: string;
  draft: LimitsDraft;
  onChange: (draft: LimitsDraft) => void;
  /** What an existing key is limited to: it keeps what it has, whoever changes the rest. */
  before?: string[] | null;
  /** Why the server has refused it. */
  error: unknown;
}) {
  const isBeyond = useLacking()(roleKey).length > 0 && before !== null;
  const { permissions } = draft;
  return (
    <>
      <CheckField
        label="Only some of the role's permissions"
        hint={
          isBeyond
            ? 'The role permits more than you hold: the key can do only what you hold too.'
            : 'Otherwise the key may do all that the role permits, now and later.'
        }
        checked={permissions !== null}
        disabled={isBeyond && permissions !== null}
        onChange={(isNarrow) => onChange({ ...draft, permissions: isNarrow ? [] : null })}
      />
      {permissions !== null && (
        <Permissions
          roleKey={roleKey}
          chosen={permissions}
          kept={before ?? undefined}
          onChange={(chosen) => onChange({ ...draft, permissions: chosen })}
          error={error}
        />
      )}
      <TextAreaField
        name="allowedCidrs"
        label="Allowed networks"
        optional
        rows={2}
        placeholder="203.0.113.0/24"
        hint="One a line. The token is refused from anywhere else."
        value={draft.cidrs}
        onChange={(event) => onChange({ ...draft, cidrs: event.target.value })}
      />
    </>
  );
}

/** Boxes for the role's permissions; for those who may not see roles, for what they hold themselves. */
function Permissions({
  roleKey,
  chosen,
  kept = [],
  onChange,
  error,
}: {
  roleKey: string;
  chosen: readonly string[];
  kept?: readonly string[];
  onChange: (chosen: string[]) => void;
  error: unknown;
}) {
  const can = useCan();
  const errorId = useId();
  const own = useOrganization().permissions;
  const role = useRoles()?.find(({ key }) => key === roleKey);
  const offered = role?.permissions ?? (can('roles:read') ? [] : own);
  return (
    <fieldset className={styles.permissions} aria-describedby={errorId}>
      <legend className="visually-hidden">Permissions of the key</legend>
      <p id={errorId} className={styles.error}>
        {reasonsAt(error, 'permissions')}
      </p>
      {!can('roles:read') && (
        <p className={styles.note}>
          You may not see what the role permits. These are the permissions that you hold; the server
          refuses those that the role does not have.
        </p>
      )}
      {[...new Set([...offered, ...kept])].map((permission) => {
        const mayGrant = can(permission) || kept.includes(permission);
        return (
          <CheckField
            key={permission}
            label={<code>{permission}</code>}
            hint={!mayGrant && 'You do not hold this, so you cannot grant it.'}
            checked={chosen.includes(permission)}
            disabled={!mayGrant}
            onChange={(isChosen) => {
              const others = chosen.filter((one) => one !== permission);
              onChange(isChosen ? [...others, permission] : others);
            }}
          />
        );
      })}
    </fieldset>
  );
}
