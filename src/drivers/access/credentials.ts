import { createHash, timingSafeEqual } from 'node:crypto';
import { normalPassword } from '../../domain/access/passwords.ts';
import { hashArgon2, isOutdated, matchesArgon2, TooManyHashes } from '../../platform/argon2.ts';
import { randomToken } from '../../platform/ids.ts';
import { matchingStep, newTotpSecret, totpUri } from '../../platform/totp.ts';
import type { Credentials } from '../../ports/credentials.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Sealer } from '../../ports/sealer.ts';

/** As apps that scan for lost secrets, and people, recognise it. */
const TOKEN_PREFIX = 'ek';
const ID_CHARACTERS = 8;

/** `issuer`: what an authenticator app shows beside the name of the account. */
export function nodeCredentials({ sealer, issuer }: { sealer: Sealer; issuer: string }): Credentials {
  const newSecret = () => secretOf(randomToken());
  return {
    hashPassword: (password) => unlessBusy(() => hashArgon2(normalPassword(password))),
    async checkPassword(password, stored) {
      const matches = await unlessBusy(() => matchesArgon2(normalPassword(password), stored));
      return { matches, outdated: matches && stored !== null && isOutdated(stored) };
    },
    newSecret,
    newApiToken() {
      const prefix = `${TOKEN_PREFIX}_${randomToken(ID_CHARACTERS)}`;
      return { prefix, ...secretOf(`${prefix}_${randomToken()}`) };
    },
    hashOf: (text) => sha256(text).toString('hex'),
    // Of the hashes, which are of one length whatever the texts are.
    sameText: (one, other) => timingSafeEqual(sha256(one), sha256(other)),
    async newTotp({ id, login }) {
      const secret = newTotpSecret();
      return {
        secret,
        sealed: await sealer.seal(placeOf(id), secret),
        uri: totpUri({ issuer, account: login, secret }),
      };
    },
    async checkTotp({ id }, code, { sealed, usedStep }, now) {
      return matchingStep(await sealer.open(placeOf(id), sealed), code, { now, usedStep });
    },
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const secretOf = (text: string) => ({ text, hash: sha256(text).toString('hex') });

/** A secret that is copied to another user's row does not open there. */
const placeOf = (user: string): string => `totp/${user}`;

async function unlessBusy<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof TooManyHashes)) throw cause;
    throw new EvenkeelError({
      code: 'sign-in-busy',
      what: 'Too many sign in at this moment.',
      why: cause.message,
      next: 'Try again in a few seconds.',
      retryable: true,
      exit: 2,
    });
  }
}
