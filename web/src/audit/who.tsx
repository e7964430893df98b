import type { AuditEvent } from '@claviger/sdk';
import { ForeignText } from '../ui/foreign-text';
import { actionLabel, HTTP_REQUEST } from './actions';
import styles from './audit.module.css';

/** Who somebody is of whom the trail has no name. */
const NAMELESS: Readonly<Record<string, string>> = {
  system: 'The server',
  anonymous: 'Nobody known',
  unverified: 'Not verified',
};

/** Who did it: the name, and the key that it was done with below. */
export function Who({ event: { actor, key } }: { event: AuditEvent }) {
  const name = actor.name ?? NAMELESS[actor.type] ?? actor.type;
  return (
    <>
      <ForeignText>{name}</ForeignText>
      {key && (
        <div className={styles.second}>
          {actor.type === 'unverified' ? 'Wrong secret for ' : ''}
          <ForeignText>{key.name}</ForeignText>
        </div>
      )}
    </>
  );
}

/** What the routes of an organization begin with: nothing new on its own trail. */
const ORGANIZATION = /^\/v1\/organizations\/\{organizationId\}(?=\/)/;

/** What was done: the method and route of a request; of a change its name, and what it was done to. */
export function What({ event: { action, method, route, path, targets } }: { event: AuditEvent }) {
  if (action === HTTP_REQUEST) {
    return (
      <code>
        {method} <ForeignText>{(route ?? path ?? '').replace(ORGANIZATION, '…')}</ForeignText>
      </code>
    );
  }
  return (
    <>
      {actionLabel(action)}
      {targets[0] && (
        <>
          {': '}
          <ForeignText>{targets[0].name}</ForeignText>
        </>
      )}
    </>
  );
}
