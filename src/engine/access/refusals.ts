import { EvenkeelError } from '../../ports/errors.ts';

/** `why`: the reason of a decision. */
export const forbidden = (what: string, why: string): EvenkeelError =>
  new EvenkeelError({ code: 'forbidden', what, why, next: 'Ask an admin of your organization for it.' });

export const memberUnknown = (user: string, organization: string): EvenkeelError =>
  new EvenkeelError({
    code: 'member-unknown',
    what: `${user} is no member of the organization ${organization}.`,
    next: 'List its people to see who is.',
  });

export const roleUnknown = (role: string, organization: string): EvenkeelError =>
  new EvenkeelError({
    code: 'role-unknown',
    what: `The organization ${organization} has no role ${role}.`,
    next: 'List its roles to see which there are.',
  });
