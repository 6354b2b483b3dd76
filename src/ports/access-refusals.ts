import { EvenkeelError } from './errors.ts';

/** What the store and whoever asks it say of what there is not, in the same words. */

export const userUnknown = (id: string): EvenkeelError =>
  new EvenkeelError({ code: 'user-unknown', what: `There is no user ${id}.`, next: 'List the people who there are.' });

export const organizationUnknown = (id: string): EvenkeelError =>
  new EvenkeelError({
    code: 'organization-unknown',
    what: `There is no organization ${id}.`,
    next: 'List the organizations to see which there are.',
  });

export const tokenUnknown = (id: string): EvenkeelError =>
  new EvenkeelError({ code: 'token-unknown', what: `There is no token ${id}.`, next: 'List the tokens there are.' });
