import { z } from 'zod';
import { PERMISSIONS } from '../../domain/access/permissions.ts';
import { name, time } from './common.ts';
import { operation } from './operation.ts';

/** Who one is to the API, and how one becomes somebody. */

const permissions = z.array(z.enum(PERMISSIONS as [(typeof PERMISSIONS)[number], ...typeof PERMISSIONS]));

/** Elsewhere one can sign in, for example at the identity provider of a company. */
const provider = z.object({ id: name, name });

/**
 * Everything that depends on who asks, worked out by the server: whoever shows only what is allowed compares nothing
 * itself.
 */
const standingSchema = z
  .object({
    state: z.literal('signed-in'),
    who: z.object({
      kind: z.enum(['local', 'user', 'token', 'bearer']),
      /** As audit and rollouts name them. */
      name: z.string(),
      /** Of the user behind it; null: there is none. */
      user: z
        .object({
          id: name,
          login: z.string(),
          name: z.string(),
          hasPassword: z.boolean(),
          hasSecondFactor: z.boolean(),
          runsServer: z.boolean(),
        })
        .nullable(),
    }),
    /** Null: no session, but a token. */
    session: z.object({ id: name, method: z.string(), expiresAt: time }).nullable(),
    server: permissions,
    organizations: z.array(z.object({ id: name, name: z.string(), permissions })),
    environments: z.array(z.object({ project: name, environment: name, organization: name.nullable(), permissions })),
  })
  .meta({ id: 'SignedIn' });

const sessionSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('anonymous'),
    /** Nobody has ever signed in here: the way in is a link from the machine that it runs on. */
    first: z.boolean(),
    providers: z.array(provider),
  }),
  /** The password was right; a code of the authenticator app is missing. */
  z.object({ state: z.literal('second-factor'), login: z.string() }),
  standingSchema,
]);

/** Never in a path or a query, which are written down on the way. */
const secret = z.string().min(1).max(1_000);
const code = z.string().trim().max(20);

const openSession = z.object({
  id: name,
  method: z.enum(['password', 'link', 'oidc']),
  address: z.string().nullable(),
  agent: z.string().nullable(),
  createdAt: time,
  seenAt: time,
  expiresAt: time,
  /** The one that asks. */
  current: z.boolean(),
});

export const sessionOperations = {
  getSession: operation({
    summary: 'Who one is, and what one may do where',
    permission: null,
    open: true,
    input: z.object({}),
    reply: sessionSchema,
  }),
  signIn: operation({
    summary: 'Sign in with name and password; the session is a cookie',
    permission: null,
    open: true,
    shownOnce: true,
    input: z.object({ login: z.string().max(320), password: secret }),
    reply: sessionSchema,
  }),
  giveCode: operation({
    summary: 'The second step of signing in: a code of the authenticator app',
    permission: null,
    open: true,
    shownOnce: true,
    input: z.object({ code }),
    reply: sessionSchema,
  }),
  openLink: operation({
    summary: 'Sign in with a link that works once',
    permission: null,
    open: true,
    shownOnce: true,
    input: z.object({ link: secret }),
    reply: sessionSchema,
  }),
  signOut: operation({
    summary: 'End the session',
    permission: null,
    open: true,
    shownOnce: true,
    input: z.object({}),
    reply: sessionSchema,
  }),
  setPassword: operation({
    summary: 'Choose a password; all other sessions end',
    permission: null,
    shownOnce: true,
    input: z.object({
      /** Not needed by who has none, or has just come by a link. */
      current: secret.optional(),
      password: secret,
    }),
    reply: z.object({ ended: z.number().int() }),
  }),
  beginSecondFactor: operation({
    summary: 'A secret for an authenticator app; it counts once a code of it was given',
    permission: null,
    shownOnce: true,
    input: z.object({}),
    reply: z.object({
      secret: z.string(),
      /** What a QR code holds. */
      uri: z.string(),
    }),
  }),
  confirmSecondFactor: operation({
    summary: 'A code of the new authenticator: from now on each sign-in asks for one',
    permission: null,
    shownOnce: true,
    input: z.object({ code }),
    reply: z.object({}),
  }),
  removeSecondFactor: operation({
    summary: 'Sign in without a second factor again',
    permission: null,
    shownOnce: true,
    input: z.object({ code }),
    reply: z.object({}),
  }),
  listSessions: operation({
    summary: 'Where one is signed in',
    permission: null,
    input: z.object({}),
    reply: z.object({ sessions: z.array(openSession) }),
  }),
  endSession: operation({
    summary: 'Sign out elsewhere',
    permission: null,
    input: z.object({ session: name }),
    reply: z.object({ ended: z.boolean() }),
  }),
  createSignInLink: operation({
    summary: 'A link that signs in once: for somebody who may no more than oneself; on the machine itself for anybody',
    permission: 'organizations:manage',
    shownOnce: true,
    input: z.object({
      /** Whose. Absent, on the machine itself: of who asks, who need not be known before. */
      login: z.string().max(320).optional(),
    }),
    reply: z.object({
      login: z.string(),
      /** Below the address of the dashboard. */
      path: z.string(),
      /** Null: the dashboard is off, or its port is not to be had. */
      url: z.string().nullable(),
      expiresAt: time,
      /** There was nobody of this name before. */
      created: z.boolean(),
    }),
  }),
};

export type SessionView = z.infer<typeof sessionSchema>;
export type SignedInView = z.infer<typeof standingSchema>;
