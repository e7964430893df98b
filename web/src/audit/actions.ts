import { capitalized } from '../ui/capitalized';

/** The action of the one event that every answer of the server has. */
export const HTTP_REQUEST = 'http.request';

/** What stands on trails, for the filter. An address may name others too. */
const ACTIONS = [
  HTTP_REQUEST,
  'http.request.flood',
  'service_account.created',
  'service_account.updated',
  'service_account.deleted',
  'key.created',
  'key.updated',
  'key.rotated',
  'key.revoked',
  'access_token.issued',
  'access_token.revoked',
  'user.created',
  'user.invited',
  'user.updated',
  'user.disabled',
  'user.enabled',
  'user.removed',
  'users.imported',
  'invitation.mailed',
  'invitation.resent',
  'invitation.accepted',
  'invitation.revoked',
  'role.created',
  'role.updated',
  'role.deleted',
  'permission.registered',
  'permission.updated',
  'permission.removed',
  'session.created',
  'session.reauthenticated',
  'session.ended',
  'password.changed',
  'password_reset.requested',
  'password.reset',
  'organization.created',
  'organization.updated',
  'organization.suspended',
  'organization.resumed',
  'organization.deleted',
  'signing_key.created',
  'signing_key.revoked',
  'instance.pepper_rotated',
  'export.completed',
  'export.aborted',
] as const;

/** An action in words: `key.revoked` reads "Key revoked". */
export function actionLabel(action: string): string {
  if (action === HTTP_REQUEST) return 'Request';
  if (action === 'http.request.flood') return 'Many refused requests';
  return capitalized(action.replaceAll(/[._]/g, ' '));
}

/** The actions to choose from, with `chosen` among them. */
export function actionChoices(chosen: string | undefined): { value: string; label: string }[] {
  const known: readonly string[] = ACTIONS;
  const all = chosen === undefined || known.includes(chosen) ? known : [chosen, ...known];
  return [
    { value: '', label: 'All actions' },
    ...all.map((value) => ({
      value,
      label: value === HTTP_REQUEST ? 'Requests' : actionLabel(value),
    })),
  ];
}
