import type { Mail } from '../mail/mailer.js';

/** What an invitation's mail tells. */
export interface InvitationLetter {
  to: string;
  organizationName: string;
  inviterName: string;
  link: string;
}

/** The mail with which somebody is invited; the same for everybody, whether they were here before or not. */
export function invitationMail(letter: InvitationLetter): Mail {
  const { to, organizationName, inviterName, link } = letter;
  return {
    to,
    subject: `Invitation to ${organizationName}`,
    text: `${inviterName} invites you to ${organizationName}.

Accept within 7 days on this page:
${link}

The link is for you alone and works once. If you did not expect it, ignore this mail.
`,
  };
}
