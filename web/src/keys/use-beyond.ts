import type { Key, ServiceAccount } from '@claviger/sdk';
import { useLacking } from '../roles/use-roles';

/**
 * What a key can do and the person cannot: nobody makes a successor of such a key, or widens it. `[]` also where roles are
 * not known; the server decides.
 */
export function useBeyond({ role }: ServiceAccount, { permissions }: Key): string[] {
  const lacking = useLacking();
  return lacking(role.key).filter((one) => permissions?.includes(one) ?? true);
}
