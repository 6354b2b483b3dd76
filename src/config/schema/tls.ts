import { z } from 'zod';

import { keys, text, wholeNumber, yesNo } from './scalars.ts';

const cert = text('the path of a file').describe(
  'A PEM file: the certificate, followed by what it was signed by. Relative to evenkeel.yaml.',
);
const key = text('the path of a file').describe(
  'The private key of the certificate, in PEM form without a passphrase.',
);

/** The public routes over TLS. */
export const tls = keys({
  cert,
  key,
  others: z
    .array(keys({ cert, key }), { error: 'a list of certificates and their keys' })
    .describe('More certificates. Each client gets the one for the host that it asks for, else the first.')
    .optional(),
  port: wholeNumber(1, 65_535).describe('Where TLS is served, beside the plain `port`. Default 8443.').optional(),
  redirect: yesNo
    .describe('Send clients that ask in plain to TLS (308), but for `/.well-known/acme-challenge/`. Default true.')
    .optional(),
  hsts: z
    .union([yesNo, z.literal('preload')], { error: 'true, false or preload' })
    .describe(
      'Have browsers insist on TLS for a year; `preload`: for all subdomains, too, and before the first visit. Default false.',
    )
    .optional(),
}).describe('Serve the routes over TLS, with certificates that are given. A change holds at once, also of the files.');
