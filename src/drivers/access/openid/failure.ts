import { AddressRefused } from '../../../platform/guarded-fetch.ts';
import { EvenkeelError } from '../../../ports/errors.ts';

/** Whom it is about: `company (https://id.example.com)`. */
export interface About {
  readonly id: string;
  readonly issuer: string;
}

/** What went wrong while an issuer was asked, in our words. Nothing of what it, or a browser, said gets into them unchecked. */
export function failureOf(error: unknown, about: About): EvenkeelError {
  if (error instanceof EvenkeelError) return error;
  const chain = causesOf(error);
  const refused = chain.find((each) => each instanceof AddressRefused || FORBIDDEN.has(textOf(each, 'code')));
  if (refused !== undefined) return addressRefused(about, refused);
  const [thrown] = chain;
  const codes = chain.map((each) => textOf(each, 'code'));
  const said = word(textOf(thrown, 'error'));
  const round = { where: whereOf(about), cause: error };
  if (codes.includes('OAUTH_AUTHORIZATION_RESPONSE_ERROR'))
    return new EvenkeelError({
      ...round,
      code: 'oidc-refused',
      what: 'The provider did not sign you in.',
      why: `It says ${said}.`,
      next: 'Try again; who runs the provider can tell why.',
    });
  if (codes.includes('OAUTH_RESPONSE_BODY_ERROR') && said === 'invalid_grant')
    return new EvenkeelError({
      ...round,
      code: 'oidc-code-refused',
      what: 'The provider no longer takes the code that it sent you back with.',
      why: 'It was used already, or is too old.',
      next: 'Begin again.',
    });
  if (codes.some((code) => code === 'OAUTH_RESPONSE_BODY_ERROR' || code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE'))
    return new EvenkeelError({
      ...round,
      code: 'oidc-client-refused',
      what: 'The provider does not take evenkeel for the client that it knows.',
      why: `It says ${said}.`,
      next: 'Who runs the server compares clientId, clientSecret and the address for redirects with what the provider has.',
      exit: 2,
    });
  if (codes.includes('OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')) return mistaken(about, error);
  if (chain.some(({ name }) => name === 'ClientError') && codes.some((code) => NOT_FOR_US.has(code)))
    return new EvenkeelError({
      ...round,
      code: 'oidc-reply-refused',
      what: 'What the provider answered does not belong to this sign-in.',
      why: chain.at(-1)?.message ?? 'It cannot be read.',
      next: 'Begin again; if it happens each time, who runs the server compares issuer and clientId with what the provider has.',
    });
  return away(about, chain);
}

const FORBIDDEN = new Set(['OAUTH_HTTP_REQUEST_FORBIDDEN', 'OAUTH_REQUEST_PROTOCOL_FORBIDDEN']);

const NOT_FOR_US = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
  'OAUTH_JWT_USERINFO_EXPECTED',
]);

/** It is another than it was named, or says so. */
export const mistaken = (about: About, cause?: unknown): EvenkeelError =>
  new EvenkeelError({
    code: 'issuer-mistaken',
    what: 'The issuer calls itself by another name than the one in sign-in.yaml.',
    where: whereOf(about),
    next: 'Write `issuer` letter by letter as its /.well-known/openid-configuration has it, slashes included.',
    exit: 2,
    cause,
  });

const addressRefused = (about: About, { message }: Error): EvenkeelError =>
  new EvenkeelError({
    code: 'issuer-address-refused',
    what: 'The issuer names an address where nobody is to be asked.',
    where: whereOf(about),
    why: message,
    next: 'What an issuer names lies on its own network, or a more public one, behind https.',
    exit: 2,
  });

function away(about: About, chain: readonly Error[]): EvenkeelError {
  const codes = chain.map((each) => textOf(each, 'code')).filter((code) => /^E[A-Z_]+$/.test(code));
  return new EvenkeelError({
    code: 'issuer-away',
    what: 'The issuer cannot be asked at present.',
    where: whereOf(about),
    why: codes.at(-1) ?? chain.at(-1)?.message ?? 'It does not answer.',
    next: 'Try again in a while; who runs the server sees in the log of the controller what happens.',
    retryable: true,
    exit: 2,
    cause: chain[0],
  });
}

const whereOf = ({ id, issuer }: About): string => `${id} (${issuer})`;

/** An error and what it was caused by, the outermost first. */
function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && chain.length < 10; at = at.cause) chain.push(at);
  return chain;
}

function textOf(error: Error | undefined, key: 'code' | 'error'): string {
  const value: unknown = error === undefined ? undefined : Reflect.get(error, key);
  return typeof value === 'string' ? value : '';
}

/** A code of the protocol, and nothing that somebody could write sentences with. */
const word = (text: string): string => (/^[a-z_]{1,40}$/.test(text) ? text : 'nothing that can be understood');
