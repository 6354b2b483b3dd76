import { z } from 'zod';

import { CHALLENGES, DIRECTORIES } from '../../domain/certificate/acme.ts';
import { keys, text, wholeNumber, yesNo } from './scalars.ts';

const cert = text('the path of a file').describe(
  'A PEM file: the certificate, followed by what it was signed by. Relative to evenkeel.yaml.',
);
const key = text('the path of a file').describe(
  'The private key of the certificate, in PEM form without a passphrase.',
);

const ISSUER = 'letsencrypt, staging or the https:// URL of an ACME directory';

const directory = z
  .union(
    [
      z.literal('letsencrypt').transform((name) => DIRECTORIES[name]),
      z.literal('staging').transform((name) => DIRECTORIES[name]),
      z.url({ protocol: /^https$/, error: ISSUER }),
    ],
    { error: ISSUER },
  )
  .describe(
    "Who issues: `letsencrypt`, `staging` (Let's Encrypt's for trying, which no browser trusts) or the URL of another directory. Default letsencrypt.",
  );

const acme = z
  .union(
    [
      z.literal(true).transform(() => ({})),
      keys({
        email: z.email({ error: 'an e-mail address' }).describe('Where the issuer can reach somebody.').optional(),
        directory: directory.optional(),
        ca: text('the path of a file')
          .describe('A PEM file: what an issuer of your own is trusted by. Relative to evenkeel.yaml.')
          .optional(),
        challenge: z
          .enum(CHALLENGES, { error: CHALLENGES.join(' or ') })
          .describe('How hosts are proven to be yours. Default: whichever the ports suggest.')
          .optional(),
      }),
    ],
    { error: 'true, or { email, directory, ca, challenge }' },
  )
  .describe(
    'Get certificates for the hosts of the routes, and renew them. Writing this agrees to the terms of the issuer.',
  );

/** The public routes over TLS. */
export const tls = z
  .union(
    [
      z.literal('acme').transform(() => ({ acme: {} })),
      keys({
        acme: acme.optional(),
        cert: cert.optional(),
        key: key.optional(),
        others: z
          .array(keys({ cert, key }), { error: 'a list of certificates and their keys' })
          .describe('More certificates. Each client gets the one for the host that it asks for, else the first.')
          .optional(),
        port: wholeNumber(1, 65_535).describe('Where TLS is served, beside the plain `port`. Default 8443.').optional(),
        redirect: yesNo
          .describe(
            'Send clients that ask in plain to TLS (308), but for `/.well-known/acme-challenge/`. Default true.',
          )
          .optional(),
        hsts: z
          .union([yesNo, z.literal('preload')], { error: 'true, false or preload' })
          .describe(
            'Have browsers insist on TLS for a year; `preload`: for all subdomains, too, and before the first visit. Default false.',
          )
          .optional(),
      }),
    ],
    { error: 'acme, { acme, port, … } or { cert, key, port, … }' },
  )
  .describe(
    'Serve the routes over TLS, with certificates that are given, or that evenkeel gets: `acme`. A change holds at once, also of the files.',
  );
