import { z } from 'zod';

import { DEFAULT_ORGANIZATION } from '../../domain/access/organization.ts';
import { EVERYTHING, patternSchema } from '../../domain/access/patterns.ts';
import { trustedProxies } from '../schema/entry.ts';
import { keys, name, oneOrMany, scalar, text, variableName, yesNo } from '../schema/scalars.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** The schema of a URL is what keeps it secret on its way; only what stays on this machine needs none. */
const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));

function url(expected: string, fits: (url: URL) => boolean = () => true) {
  return scalar((value) => {
    const parsed = URL.parse(value);
    const plain = parsed !== null && parsed.username === '' && parsed.password === '' && parsed.hash === '';
    return plain && isSafe(parsed) && fits(parsed) ? value : null;
  }, expected);
}

/** Kept as it is written: tokens name it letter by letter. */
const issuer = url('the https address of an issuer (http on this machine only)', ({ search }) => search === '');

const path = (expected: string) =>
  text(expected).refine((value) => value.startsWith('/'), { error: 'a path from the root' });

const roleRule = keys({
  claim: text('the name of a claim, or the way to it: realm_access.roles').optional(),
  value: text('the value that the claim has, or has among others').optional(),
  role: text('the name of a role'),
  organization: text('the id or the name of an organization').default(DEFAULT_ORGANIZATION),
  project: patternSchema.default(EVERYTHING),
  environment: patternSchema.default(EVERYTHING),
})
  .refine(({ claim, value }) => (claim === undefined) === (value === undefined), {
    error: '`claim` and `value` together, or neither for everybody',
  })
  .transform(({ claim, value, ...grant }) => ({
    ...grant,
    when: claim === undefined || value === undefined ? null : { claim, value },
  }));

const shared = {
  issuer,
  ca: path('the path of a file of certificates').optional(),
  login: text('the claim that holds the sign-in name').default('email'),
  trustsEmails: yesNo.default(false),
  roles: z.array(roleRule, { error: 'a list of { claim, value, role }' }).default([]),
};

const email = scalar((value) => {
  const listed = value.toLowerCase();
  return /^[!-?a-~]*@[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(listed) ? listed : null;
}, 'an e-mail address, or @example.com for everybody there');

const provider = keys({
  name: text().optional(),
  ...shared,
  clientId: text('the id that the issuer has given to evenkeel'),
  clientSecret: z
    .union([keys({ env: variableName }), keys({ file: path('the path of a file') })], {
      error: '{ env: NAME } or { file: /PATH }: the secret itself does not belong here',
    })
    .optional(),
  scopes: z
    .array(
      scalar((value) => (/^[!#-[\]-~]+$/.test(value) ? value : null), 'a scope, without spaces'),
      { error: 'a list of scopes' },
    )
    .default(['profile', 'email']),
  admits: z
    .union([z.enum(['linked', 'invited']), keys({ emails: z.array(email).min(1) })], {
      error: 'linked, invited, or { emails: ["@example.com"] }',
    })
    .default('linked'),
});

const bearerIssuer = keys({
  ...shared,
  audience: oneOrMany(text('an audience'), 'the audience of the tokens, or several').refine((all) => all.length > 0, {
    error: 'at least one audience',
  }),
  keys: url('the https address of its keys (http on this machine only)').optional(),
});

/** The whole of `sign-in.yaml`. */
export const signInFile = keys({
  publicUrl: url(
    'the https address of the dashboard, without a path (http on this machine only)',
    ({ pathname, search }) => pathname === '/' && search === '',
  ).optional(),
  trustedProxies: trustedProxies.default([]),
  oidc: z.record(name, provider, { error: 'providers by name' }).default({}),
  bearer: z.record(name, bearerIssuer, { error: 'issuers by name' }).default({}),
}).superRefine(({ publicUrl, oidc, bearer }, context) => {
  if (publicUrl === undefined && Object.keys(oidc).length > 0)
    context.addIssue({
      code: 'custom',
      path: ['publicUrl'],
      message: 'the address of the dashboard, to which providers send people back',
    });
  for (const [kind, all] of Object.entries({ oidc, bearer })) repeated(kind, all, context);
});

/** A token, or an account, names its issuer alone: of two entries for one nobody could tell which is meant. */
function repeated(kind: string, all: Record<string, { issuer: string }>, context: z.core.$RefinementCtx): void {
  const seen = new Set<string>();
  for (const [id, { issuer: address }] of Object.entries(all)) {
    if (seen.has(address))
      context.addIssue({ code: 'custom', path: [kind, id, 'issuer'], message: 'an issuer that is named once' });
    seen.add(address);
  }
}

export type SignInFile = z.output<typeof signInFile>;
