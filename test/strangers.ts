import { newId } from '../src/crypto/id.js';

let calls = 0;

/** An address of a network that is nobody's (RFC 5737), another one each time. */
export const anotherAddress = (): string => `192.0.2.${(calls += 1) % 256}`;

/**
 * The headers of a request from {@link anotherAddress}: so many refusals of a single one would be a flood. The server has to trust
 * 127.0.0.1 as a proxy.
 */
export const from = (): { 'x-forwarded-for': string } => ({ 'x-forwarded-for': anotherAddress() });

/** A path of the OpenAPI document in an organization, but for that with things that nobody has, so that whatever is let through changes nothing. */
export function nobodys(path: string, organizationId: string): string {
  return path
    .replace('{organizationId}', organizationId)
    .replace('{serviceAccountId}', newId('sa'))
    .replace('{keyId}', newId('key'))
    .replace('{userId}', newId('usr'))
    .replace('{sessionId}', newId('ses'))
    .replace('{invitationId}', newId('inv'))
    .replace('{eventId}', newId('evt'))
    .replace('{roleKey}', 'no-such-role')
    .replace('{permission}', 'no-such:permission');
}
