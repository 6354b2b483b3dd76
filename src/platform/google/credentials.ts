import { createPrivateKey } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EvenkeelError } from '../../ports/errors.ts';
import { openWire } from './wire.ts';

/** Whoever asks Google for something. Tokens leave here in headers alone. */
export interface Credentials {
  /** What they are, for people: `a token`, `the key of …`. */
  kind: string;
  /** The headers by which a request is theirs. Throws `cloud-credentials`. */
  headers(url: string): Promise<Headers>;
  /** Proves who asks to a service that is not public; `audience` is its address. Throws `cloud-credentials`. */
  identityToken(audience: string): Promise<string>;
  /** What to do when they are refused. */
  renew: string;
  /** Their own cloud project, where they name one. */
  project: string | null;
}

export interface CredentialSources {
  /** As `process.env`: `EVENKEEL_CLOUD_TOKEN`, `GOOGLE_APPLICATION_CREDENTIALS`, `CLOUDSDK_CONFIG`, `EVENKEEL_CLOUD_ENDPOINT`. */
  env: Readonly<Record<string, string | undefined>>;
  /** A file with nothing in it but an access token. */
  tokenFile?: string | null;
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const SIGN_IN = 'gcloud auth application-default login';

/** Where Google is, when it is stood in for; null: at Google's. Throws `cloud-endpoint`. */
export function endpointOf(env: CredentialSources['env']): URL | null {
  const value = env['EVENKEEL_CLOUD_ENDPOINT'];
  if (value === undefined || value === '') return null;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new EvenkeelError({
    code: 'cloud-endpoint',
    what: 'EVENKEEL_CLOUD_ENDPOINT is no http address',
    next: 'unset it, or set it to what `evenkeel cloud emulator` printed',
  });
}

/**
 * A token from the environment or a file, else a key file, else what `gcloud auth application-default login` or the
 * machine gives. Asks nothing of the network yet but where nothing else is left. Throws `cloud-credentials`.
 */
export async function findCredentials({ env, tokenFile }: CredentialSources): Promise<Credentials> {
  const emulated = endpointOf(env) !== null;
  const token =
    tokenFile === undefined || tokenFile === null ? env['EVENKEEL_CLOUD_TOKEN'] : await readToken(tokenFile);
  if (token !== undefined && token.trim() !== '') return fixedToken(token.trim(), emulated);
  const file = env['GOOGLE_APPLICATION_CREDENTIALS'] || (await wellKnownFile(env));
  if (file === null && !(await onGoogle(env))) throw notSignedIn('no credentials were found');
  return ofLibrary(file, env);
}

function fixedToken(token: string, emulated: boolean): Credentials {
  // A line break would end the header, and what follows would be another.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw notSignedIn('the token holds what no token holds: blanks or control characters');
  return {
    kind: 'a token',
    renew: emulated
      ? 'give the token of the emulator (EVENKEEL_CLOUD_TOKEN)'
      : 'give a new token (EVENKEEL_CLOUD_TOKEN): gcloud auth print-access-token; tokens last an hour',
    project: null,
    headers: () => Promise.resolve(new Headers({ authorization: `Bearer ${token}` })),
    identityToken: (audience) =>
      emulated
        ? Promise.resolve(token)
        : Promise.reject(
            notSignedIn(
              `an access token cannot prove to ${audience}, which is not public, who asks`,
              'use a key file (GOOGLE_APPLICATION_CREDENTIALS)',
            ),
          ),
  };
}

async function ofLibrary(file: string | null, env: CredentialSources['env']): Promise<Credentials> {
  const { GoogleAuth } = await import('google-auth-library');
  const wire = openWire(endpointOf(env));
  const fetchImplementation = (async (input: string | URL, init?: RequestInit) =>
    wire.send({
      method: init?.method ?? 'GET',
      url: new URL(input),
      headers: new Headers(init?.headers),
      body: textOf(init?.body),
      signal: AbortSignal.any([AbortSignal.timeout(30_000), ...(init?.signal ? [init.signal] : [])]),
    })) as typeof fetch;
  if (file !== null) await examine(file);
  const auth = new GoogleAuth({
    scopes: [SCOPE],
    ...(file === null ? {} : { keyFilename: file }),
    clientOptions: { transporterOptions: { fetchImplementation } },
  });
  // Each keeps its token until that is about to expire: health is asked for every second or two.
  const proofs = remembered((audience: string) => auth.getIdTokenClient(audience));
  const client = await auth.getClient().catch((error: unknown) => {
    throw notSignedIn(file === null ? 'no credentials were found' : `${file} cannot be used: ${wordsOf(error)}`);
  });
  return {
    kind: file === null ? 'those of this machine' : `those of ${file}`,
    renew: SIGN_IN,
    project: client.projectId ?? null,
    headers: async (url) => {
      try {
        return await client.getRequestHeaders(url);
      } catch (error) {
        throw signInFailed(error, file);
      }
    },
    identityToken: async (audience) => {
      try {
        const of = await proofs.get(audience);
        const bearer = (await of.getRequestHeaders(audience)).get('authorization') ?? '';
        return bearer.replace(/^Bearer /i, '');
      } catch (error) {
        throw signInFailed(error, file, `no identity token for ${audience}: `);
      }
    },
  };
}

/** What was made for a key, made once; what failed is made anew the next time. */
function remembered<T>(make: (key: string) => Promise<T>): { get(key: string): Promise<T> } {
  const known = new Map<string, Promise<T>>();
  return {
    get(key) {
      const made = known.get(key) ?? make(key);
      known.set(key, made);
      made.catch(() => known.delete(key));
      return made;
    },
  };
}

/** Signing in sends forms and JSON. */
function textOf(body: RequestInit['body']): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('signing in sends text alone');
}

/** What a failure of signing in says; a reply of Google's comes as JSON and names no secret but may be long. */
const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : 'unknown').split('\n')[0]?.slice(0, 200) ?? '';

const KINDS = new Set([
  'authorized_user',
  'service_account',
  'external_account',
  'external_account_authorized_user',
  'impersonated_service_account',
  'gdch_service_account',
]);

/** Google's library says of a file that it cannot read what only its authors understand. Nothing of what is in it is said. */
async function examine(file: string): Promise<void> {
  const broken = (why: string): EvenkeelError =>
    notSignedIn(`${file} ${why}`, `${SIGN_IN}, or name a whole key file in GOOGLE_APPLICATION_CREDENTIALS`);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw broken(error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code ?? 'unknown'})`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw broken('is no JSON: it was cut off, or is something else');
  }
  const fields: Record<string, unknown> = typeof content === 'object' && content !== null ? { ...content } : {};
  if (!KINDS.has(String(fields['type']))) throw broken('holds no credentials of Google’s');
  if (fields['type'] !== 'service_account') return;
  for (const name of ['client_email', 'private_key'])
    if (typeof fields[name] !== 'string') throw broken(`lacks ${name}: it is no whole key of a service account`);
  try {
    createPrivateKey(String(fields['private_key']));
  } catch {
    throw broken('holds a private_key that is none: it was cut off or changed');
  }
}

/** A network that is away, and credentials that are refused, want different things of a person. */
function signInFailed(error: unknown, file: string | null, about = ''): EvenkeelError {
  const cause = causeOf(error);
  if (cause !== null)
    return new EvenkeelError({
      code: 'cloud-unreachable',
      what: 'Google cannot be reached to sign in',
      why: `${about}${cause}`,
      next: 'look at the network (a proxy is named by HTTPS_PROXY), and try again',
      retryable: true,
    });
  const words = wordsOf(error);
  if (/invalid_grant|invalid_rapt/.test(`${words} ${JSON.stringify(bodyOf(error) ?? '')}`))
    return notSignedIn(
      `${about}Google does not accept ${file ?? 'these credentials'} any more: it has expired or was revoked`,
    );
  return notSignedIn(`${about}${words}`);
}

const UNREACHED = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\b/;

/** What the socket said, where it was the socket; null: somebody answered. */
function causeOf(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if (UNREACHED.test(`${'code' in at ? String(at.code) : ''} ${at.message}`)) return wordsOf(at);
  return null;
}

const bodyOf = (error: unknown): unknown =>
  error instanceof Error && 'response' in error ? (error.response as { data?: unknown } | undefined)?.data : null;

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw notSignedIn(`the token file cannot be read: ${wordsOf(error)}`, 'name a file that holds an access token');
  });
  if (text.trim() === '') throw notSignedIn(`${file} is empty`, 'name a file that holds an access token');
  return text.trim();
}

async function wellKnownFile(env: CredentialSources['env']): Promise<string | null> {
  const folder = env['CLOUDSDK_CONFIG'] || join(env['HOME'] || homedir(), '.config', 'gcloud');
  const file = join(folder, 'application_default_credentials.json');
  return access(file).then(
    () => file,
    () => null,
  );
}

/** Only then is it worth asking for the credentials of the machine: elsewhere that takes seconds to fail. */
async function onGoogle(env: CredentialSources['env']): Promise<boolean> {
  if (env['K_SERVICE'] || env['CLOUD_RUN_JOB'] || env['GCE_METADATA_HOST'] || env['CLOUD_SHELL']) return true;
  const product = await readFile('/sys/class/dmi/id/product_name', 'utf8').catch(() => '');
  return product.startsWith('Google');
}

const notSignedIn = (why: string, next = SIGN_IN): EvenkeelError =>
  new EvenkeelError({ code: 'cloud-credentials', what: 'not signed in to Google Cloud', why, next });
