import { EvenkeelError } from '../../../ports/errors.ts';

export const organizationExists = (name: string): EvenkeelError =>
  new EvenkeelError({
    code: 'organization-exists',
    what: `There is an organization ${name} already.`,
    next: 'Choose another name.',
  });

export const organizationInUse = (id: string, why: string): EvenkeelError =>
  new EvenkeelError({
    code: 'organization-in-use',
    what: `The organization ${id} cannot be removed.`,
    why,
    next: 'Move its projects to another organization first.',
  });

export const loginTaken = (login: string): EvenkeelError =>
  new EvenkeelError({
    code: 'login-taken',
    what: `Somebody signs in as ${login} already.`,
    next: 'Choose another sign-in name, or add this person to your organization.',
  });

export const memberUnknown = (user: string, organization: string): EvenkeelError =>
  new EvenkeelError({
    code: 'member-unknown',
    what: `${user} is no member of the organization ${organization}.`,
    next: 'Add them to it first.',
  });

export const roleUnknown = (role: string, organization: string): EvenkeelError =>
  new EvenkeelError({
    code: 'role-unknown',
    what: `The organization ${organization} has no role ${role}.`,
    next: 'Use viewer, operator, approver or admin, or make the role first.',
  });

export const roleExists = (role: string): EvenkeelError =>
  new EvenkeelError({
    code: 'role-exists',
    what: `There is a role ${role} already.`,
    next: 'Change that one, or choose another name.',
  });

export const roleInUse = (role: string, count: number): EvenkeelError =>
  new EvenkeelError({
    code: 'role-in-use',
    what: `The role ${role} cannot be removed.`,
    why: `It is granted ${count} times, and whoever has it would lose it unnoticed.`,
    next: 'Take the grants of it away first.',
  });

export const tokenNameTaken = (name: string): EvenkeelError =>
  new EvenkeelError({
    code: 'token-name-taken',
    what: `You have a token named ${name} already.`,
    next: 'Choose another name, or revoke that one first.',
  });

export const lastAdmin = (organization: string): EvenkeelError =>
  new EvenkeelError({
    code: 'last-admin',
    what: `Nobody would be left who may do everything in the organization ${organization}.`,
    next: 'Make somebody else an admin of all of it first. Whoever has the token of the server can do it all the same.',
  });

export const lastWhoRunsServer = (): EvenkeelError =>
  new EvenkeelError({
    code: 'last-runs-server',
    what: 'Nobody would be left who runs the server.',
    next: 'Say first who else runs it. Whoever has the token of the server can do it all the same.',
  });

export const identityTaken = (issuer: string): EvenkeelError =>
  new EvenkeelError({
    code: 'identity-taken',
    what: `This account at ${issuer} belongs to another user here.`,
    next: 'Sign in with it as that user, and unlink it there first.',
  });

export const signInOutdated = (): EvenkeelError =>
  new EvenkeelError({
    code: 'sign-in-outdated',
    what: 'The password was changed at this moment.',
    next: 'Sign in with the new one.',
    retryable: true,
  });
