import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { isObject, textAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { State, Table } from '../state/state.ts';

/** Who calls. */
export interface Caller {
  email: string;
  /** As policies name it: `user:…` or `serviceAccount:…`. */
  member: string;
}

/** The person whose token the emulator was started with. */
export const OWNER: Caller = { email: 'owner@example.com', member: 'user:owner@example.com' };

const HOUR = 3600_000;

/** Access tokens and identity tokens: gives them out, and says whose they are. */
export class Identities {
  private readonly token: string;
  private readonly tokens: Table;
  private readonly keys: Table;
  private readonly now: () => number;

  constructor(state: State, token: string, now: () => number) {
    this.token = token;
    this.tokens = state.table('identities.tokens');
    this.keys = state.table('identities.keys');
    this.now = now;
  }

  /** Whose access token this is; null when nobody's, or no longer. */
  callerOf(token: string): Caller | null {
    if (token === this.token) return OWNER;
    const row = this.tokens.get(token);
    if (row === undefined || Number(row['expiresAt']) <= this.now()) return null;
    return accountCaller(written(row['email']));
  }

  /** A new access token of a service account. */
  accessToken(email: string, lifetimeS = 3600): { token: string; expiresAt: number } {
    const token = `ya29.e-${randomBytes(24).toString('base64url')}`;
    const expiresAt = this.now() + lifetimeS * 1000;
    this.tokens.set(token, { email, expiresAt });
    return { token, expiresAt };
  }

  /** A signed identity token (a JWT of an hour) for an audience, such as a service's URL. */
  identityToken(email: string, audience: string): string {
    const now = Math.floor(this.now() / 1000);
    return this.signed({
      iss: 'https://accounts.google.com',
      aud: audience,
      azp: email,
      sub: email,
      email,
      email_verified: true,
      iat: now,
      exp: now + HOUR / 1000,
    });
  }

  /** What a valid identity token says; null when it is none of ours, forged or expired. The owner's token is valid anywhere. */
  verified(token: string): { caller: Caller; audience: string | null } | null {
    if (token === this.token) return { caller: OWNER, audience: null };
    const [head = '', claims = '', signature = ''] = token.split('.');
    const valid = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      createPublicKey(this.key()),
      Buffer.from(signature, 'base64url'),
    );
    if (!valid) return null;
    const said = parsed(Buffer.from(claims, 'base64url').toString());
    if (said === null || Number(said['exp']) * 1000 <= this.now()) return null;
    const email = textAt(said, 'email') ?? '';
    return { caller: email === OWNER.email ? OWNER : accountCaller(email), audience: textAt(said, 'aud') ?? null };
  }

  /** A JWT with any claims, signed by the emulator. */
  signed(claims: JsonObject): string {
    const head = encoded({ alg: 'RS256', typ: 'JWT', kid: 'emulator' });
    const content = `${head}.${encoded(claims)}`;
    return `${content}.${sign('sha256', Buffer.from(content), this.key()).toString('base64url')}`;
  }

  /** Public keys, as https://www.googleapis.com/oauth2/v3/certs has them. */
  publicKeys(): { keys: JsonWebKey[] } {
    const key = createPublicKey(this.key()).export({ format: 'jwk' });
    return { keys: [{ ...key, kid: 'emulator', alg: 'RS256', use: 'sig' }] };
  }

  private key(): KeyObject {
    const kept = this.keys.get('signing');
    if (kept !== undefined) return createPrivateKey(written(kept['pem']));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.keys.set('signing', { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
    return privateKey;
  }
}

const accountCaller = (email: string): Caller => ({ email, member: `serviceAccount:${email}` });

const encoded = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function parsed(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
