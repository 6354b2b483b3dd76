import type { AcmeConfig, CertificateId, ChallengeType } from '../domain/certificate/acme.ts';
import type { ChallengeChoice } from '../domain/certificate/challenge.ts';
import { EvenkeelError } from './errors.ts';

/** Gets certificates from whoever issues them, and keeps them. Keys never leave it but for the files of `place`. */
export interface Certificates {
  /** The files of a certificate, whether it is there yet or not: one and the same, so that both change in one step. */
  place(id: CertificateId): { cert: string; key: string };
  /** What is there. Never rejects for a missing or damaged file. */
  look(id: CertificateId): Promise<CertificateLook>;
  /** Remembers what was tried. Rejects when it cannot be written. */
  remember(id: CertificateId, memory: CertificateMemory): Promise<void>;
  /**
   * Gets a certificate, or goes on with the order that was begun. May be called again after it was cut off at any point.
   * Rejects with IssueError, or with the signal's reason; IssueError `order-gone`: the order that was begun is not to be
   * had any more, and another may be begun at once.
   */
  issue(id: CertificateId, how: IssueOptions): Promise<IssuedCertificate>;
}

export interface CertificateLook {
  /** What is there and works for the host; null: nothing. */
  installed: { notBefore: number; notAfter: number } | null;
  /** An order was begun and its end is not known. */
  ordered: boolean;
  memory: CertificateMemory;
}

/** Of one certificate, kept over restarts. Times are wall time, ms. */
export interface CertificateMemory {
  /** When orders were begun, newest last. */
  orders: number[];
  issuedAt: number | null;
  /** In a row. */
  failures: number;
  lastFailure: { at: number; why: string; next: string | null; challenge: ChallengeType | null } | null;
  retryAfter: number | null;
  /** What happened, newest last. */
  story: { at: number; text: string }[];
}

export const NOTHING_TRIED: CertificateMemory = {
  orders: [],
  issuedAt: null,
  failures: 0,
  lastFailure: null,
  retryAfter: null,
  story: [],
};

export interface IssueOptions {
  acme: AcmeConfig;
  /** Before an order is begun, so that it is known however it ends; none is begun when it rejects. */
  ordering(): Promise<void>;
  choose(offered: readonly string[]): ChallengeChoice;
  /** A step was taken, in words. */
  tell(text: string): void;
  signal: AbortSignal;
}

export interface IssuedCertificate {
  notBefore: number;
  notAfter: number;
  /** Null: the issuer knew already that the host is ours. */
  challenge: ChallengeType | null;
}

/** Why there is no certificate. */
export class IssueError extends EvenkeelError {
  /** Wall time, ms, until which the issuer wants to be left alone; null: it did not say. */
  readonly retryAfter: number | null;
  /** By which it was to be proven, if it came that far. */
  readonly challenge: ChallengeType | null;
  /** The issuer's word for it, such as `rateLimited`; null: it said none. */
  readonly problem: string | null;

  constructor(
    details: ConstructorParameters<typeof EvenkeelError>[0] & {
      retryAfter?: number | null;
      challenge?: ChallengeType | null;
      problem?: string | null;
    },
  ) {
    super({ exit: 2, ...details });
    this.name = 'IssueError';
    this.retryAfter = details.retryAfter ?? null;
    this.challenge = details.challenge ?? null;
    this.problem = details.problem ?? null;
  }
}
