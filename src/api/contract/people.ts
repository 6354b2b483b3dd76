import { z } from 'zod';
import { EVERYTHING, patternSchema } from '../../domain/access/patterns.ts';
import { loginSchema, personNameSchema } from '../../domain/access/people.ts';
import { name, time } from './common.ts';
import { operation } from './operation.ts';

/** Who there is, and what they were granted. */

export const userSchema = z
  .object({
    id: z.string(),
    /** By which they sign in. */
    login: z.string(),
    /** For people. */
    name: z.string(),
    hasPassword: z.boolean(),
    hasSecondFactor: z.boolean(),
    runsServer: z.boolean(),
    /** They cannot sign in, and their tokens do nothing. Null: they can. */
    disabledAt: time.nullable(),
    createdAt: time,
    /** Last; null: never. */
    signedInAt: time.nullable(),
  })
  .meta({ id: 'User' });

/** A role in the projects and environments that two patterns name; `*` stands for any characters. */
const grantInput = z.object({
  role: name,
  project: patternSchema.default(EVERYTHING),
  environment: patternSchema.default(EVERYTHING),
});

const grantSchema = z
  .object({
    id: z.string(),
    role: z.string(),
    project: z.string(),
    environment: z.string(),
    grantedBy: z.string(),
    grantedAt: time,
    /** Whether whoever asks could take it away. */
    mayRemove: z.boolean(),
  })
  .meta({ id: 'Grant' });

const memberSchema = z
  .object({
    user: userSchema,
    since: time,
    grants: z.array(grantSchema),
    /** Whether whoever asks could remove them from the organization, leaving aside that somebody has to stay. */
    mayRemove: z.boolean(),
    /** Whether whoever asks could make a link to sign in for them, or take their second factor away. */
    mayHelp: z.boolean(),
  })
  .meta({ id: 'Member' });

const linkSchema = z
  .object({
    /** Behind the address of the dashboard. It signs in whoever opens it first. */
    path: z.string(),
    expiresAt: time,
  })
  .meta({ id: 'SignInLink' });

const organization = z.object({ organization: name });
const person = organization.extend({
  /** The id of a user. */
  user: name,
});
const justUser = z.object({ user: name });

export const peopleOperations = {
  listPeople: operation({
    summary: 'The members of an organization, with their grants',
    permission: 'people:read',
    input: organization,
    reply: z.object({ people: z.array(memberSchema) }),
  }),
  invitePerson: operation({
    summary: 'Make somebody a member, with grants that one has oneself; for a new user: with a link to sign in',
    permission: 'people:write',
    shownOnce: true,
    input: organization.extend({
      login: loginSchema,
      /** Of a new user; of one who is there already it stays as it is. */
      name: personNameSchema.optional(),
      grants: z.array(grantInput).max(50).default([]),
    }),
    reply: z.object({
      user: userSchema,
      /** Null: they have signed in before, and do so again by whatever they have. */
      link: linkSchema.nullable(),
    }),
  }),
  removePerson: operation({
    summary: 'Take somebody out of an organization, with their grants and their tokens of it',
    permission: 'people:write',
    input: person,
    reply: z.object({}),
  }),
  addGrant: operation({
    summary: 'Grant a member a role: never more than one has oneself',
    permission: 'people:write',
    input: person.extend(grantInput.shape),
    reply: z.object({ grant: grantSchema }),
  }),
  removeGrant: operation({
    summary: 'Take a grant away that one could have given',
    permission: 'people:write',
    input: person.extend({
      /** Its id. */
      grant: name,
    }),
    reply: z.object({}),
  }),
  makeSignInLink: operation({
    summary: 'A link that signs a member in once, for whoever may all that they may',
    permission: 'people:write',
    shownOnce: true,
    input: person.extend({
      /** `reset`: for an hour, to choose a new password. `invitation`: for three days, for who has never signed in. */
      purpose: z.enum(['reset', 'invitation']).default('reset'),
    }),
    reply: z.object({ link: linkSchema }),
  }),
  removeSecondFactorOf: operation({
    summary: 'Take away the second factor of a member who lost it, for whoever may all that they may',
    permission: 'people:write',
    input: person,
    reply: z.object({}),
  }),

  listUsers: operation({
    summary: 'Every user of the server, and the organizations they are members of',
    permission: 'organizations:manage',
    input: z.object({}),
    reply: z.object({
      users: z.array(
        userSchema.extend({
          /** Their ids. */
          organizations: z.array(z.string()),
        }),
      ),
    }),
  }),
  setRunsServer: operation({
    summary: 'Say whether somebody runs the server: it gives no rights in any organization',
    permission: 'organizations:manage',
    input: justUser.extend({ runsServer: z.boolean() }),
    reply: z.object({ user: userSchema }),
  }),
  setDisabled: operation({
    summary: 'Shut somebody out at once, with all their sessions and tokens, or let them in again',
    permission: 'organizations:manage',
    input: justUser.extend({ disabled: z.boolean() }),
    reply: z.object({ user: userSchema }),
  }),
  removeUser: operation({
    summary: 'Remove a user for good, with all that is theirs; what they did stays under their name',
    permission: 'organizations:manage',
    input: justUser,
    reply: z.object({}),
  }),
};

export type UserView = z.infer<typeof userSchema>;
export type GrantView = z.infer<typeof grantSchema>;
export type MemberView = z.infer<typeof memberSchema>;
export type LinkView = z.infer<typeof linkSchema>;
