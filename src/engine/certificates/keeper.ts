import { chooseChallenge } from '../../domain/certificate/challenge.ts';
import { decideCertificate } from '../../domain/certificate/schedule.ts';
import type { CertificateDecision } from '../../domain/certificate/schedule.ts';
import type { CertificateLook, CertificateMemory, Certificates } from '../../ports/certificates.ts';
import { IssueError, NOTHING_TRIED } from '../../ports/certificates.ts';
import { described } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import { nameOf, wantedCertificates } from './wanted.ts';
import type { WantedCertificate } from './wanted.ts';

export const CERTIFICATES_EVERY_MS = 1_000;
/** Files may be taken away by hand, so they are looked at although nothing is due. */
const LOOK_AGAIN_MS = 60_000;
/** At the same time: one whose host leads elsewhere takes minutes to fail. */
const MOST_AT_ONCE = 4;
/** Orders older than this say nothing any more. */
const ORDERS_KEPT_MS = 86_400_000;
const STORY_LINES = 50;

/** One certificate as it was last looked at. */
export interface KeptCertificate {
  wanted: WantedCertificate;
  look: CertificateLook;
  decision: CertificateDecision;
  /** It is being got now. */
  ordering: boolean;
}

interface Known extends KeptCertificate {
  lookedAt: number;
}

/**
 * Gets and renews certificates. Every look begins with what is on disk: a controller that was killed in the midst of an
 * order goes on with it. What is tried is written down before it is tried.
 */
export class CertificateKeeper {
  readonly #deps: EngineDeps;
  readonly #certificates: Certificates;
  readonly #known = new Map<string, Known>();
  readonly #running = new Map<string, Promise<void>>();
  /** The newest of what is remembered, also when the disk did not take it. */
  readonly #memories = new Map<string, CertificateMemory>();

  constructor(deps: EngineDeps, certificates: Certificates) {
    this.#deps = deps;
    this.#certificates = certificates;
  }

  /** Looks at all certificates, and begins what is due; it goes on by itself until the signal fires. */
  async look(signal: AbortSignal): Promise<void> {
    const { store, traffic } = this.#deps;
    const records = (await store.environments()).filter(({ config }) => config.environment.tls?.acme !== undefined);
    if (records.length === 0) {
      this.#known.clear();
      return;
    }
    const wanted = wantedCertificates(records, await traffic.state().catch(() => null));
    const names = new Set(wanted.map(({ id }) => nameOf(id)));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    for (const each of wanted) await this.#lookAt(each, signal);
  }

  /** Of an environment. */
  of({ project, environment }: { project: string; environment: string }): KeptCertificate[] {
    const mine = [...this.#known.values()].filter(({ wanted }) => wanted.scopes.includes(`${project}/${environment}`));
    return mine.map((each) => ({ ...each, ordering: this.#running.has(nameOf(each.wanted.id)) }));
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #lookAt(wanted: WantedCertificate, signal: AbortSignal): Promise<void> {
    const name = nameOf(wanted.id);
    const now = this.#deps.clock.now();
    if (this.#running.has(name) || this.#isQuiet(name, wanted, now)) return;
    const seen = await this.#certificates.look(wanted.id);
    const look = { ...seen, memory: this.#memories.get(name) ?? seen.memory };
    this.#memories.set(name, look.memory);
    const decision = this.#decide(wanted, look, now);
    this.#known.set(name, { wanted, look, decision, ordering: false, lookedAt: now });
    if (decision.act === 'wait' || this.#running.size >= MOST_AT_ONCE || signal.aborted) return;
    const work = this.#get(wanted, look, decision, signal).finally(() => this.#running.delete(name));
    this.#running.set(name, work);
  }

  #isQuiet(name: string, { askedAt, unreachable }: WantedCertificate, now: number): boolean {
    const known = this.#known.get(name);
    if (known === undefined || known.decision.act !== 'wait') return false;
    if (known.wanted.askedAt !== askedAt || known.wanted.unreachable !== unreachable) return false;
    // A clock that was set back must not stretch the pause.
    return known.decision.wakeAt > now && now >= known.lookedAt && now - known.lookedAt < LOOK_AGAIN_MS;
  }

  #decide(
    wanted: WantedCertificate,
    { installed, ordered, memory }: CertificateLook,
    now: number,
  ): CertificateDecision {
    const { host, directory } = wanted.id;
    const digest = this.#deps.digest(`${host} ${installed?.notAfter ?? 0}`);
    const neighbours = [...this.#known.values()].filter((each) => each.wanted.id.directory === directory);
    return decideCertificate({
      now,
      installed,
      ordered,
      orders: memory.orders,
      directoryOrders: neighbours.flatMap((each) => this.#memories.get(nameOf(each.wanted.id))?.orders ?? []),
      issuedAt: memory.issuedAt,
      failures: memory.failures,
      failedAt: memory.lastFailure?.at ?? null,
      retryAfter: memory.retryAfter,
      askedAt: wanted.askedAt,
      unreachable: wanted.unreachable,
      chance: Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32,
    });
  }

  async #get(
    wanted: WantedCertificate,
    { memory }: CertificateLook,
    { act, reason }: CertificateDecision,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log } = this.#deps;
    const { id, acme } = wanted;
    const fields = { host: id.host, issuer: id.directory };
    log.info({ ...fields, reason }, act === 'order' ? 'a certificate is got' : 'an order is gone on with');
    if (act === 'resume') await this.#note(wanted, {}, `gone on: ${reason}`);
    try {
      const issued = await this.#certificates.issue(id, {
        acme,
        signal,
        tell: (text) => log.info(fields, text),
        ordering: () => this.#ordering(wanted, reason),
        choose: (offered) =>
          chooseChallenge({
            offered,
            wanted: acme.challenge,
            plainPort: wanted.plainPort,
            tlsPort: wanted.tlsPort,
            failed: memory.lastFailure?.challenge ?? null,
          }),
      });
      const until = new Date(issued.notAfter).toISOString();
      const by = issued.challenge === null ? '' : `, by ${issued.challenge}`;
      const well = { issuedAt: clock.now(), failures: 0, lastFailure: null, retryAfter: null };
      await this.#note(wanted, well, `issued, valid until ${until}${by}`);
      log.info({ ...fields, until }, 'a certificate was issued');
    } catch (error) {
      // The next controller goes on with the order.
      if (!signal.aborted) await this.#failed(wanted, error);
    }
  }

  /** Without a record of it, a crash could order again and again. */
  async #ordering(wanted: WantedCertificate, reason: string): Promise<void> {
    const now = this.#deps.clock.now();
    const memory = this.#memories.get(nameOf(wanted.id)) ?? NOTHING_TRIED;
    const orders = [...memory.orders.filter((at) => at > now - ORDERS_KEPT_MS), now];
    try {
      await this.#remember(wanted, { ...memory, orders }, `ordered: ${reason}`);
    } catch (cause) {
      this.#memories.set(nameOf(wanted.id), memory);
      throw new IssueError({
        code: 'not-written',
        what: `no certificate for ${wanted.id.host} is ordered: it could not be written down`,
        why: described(cause),
        next: 'evenkeel doctor says what is wrong with the disk',
        retryable: true,
        cause,
      });
    }
  }

  async #failed(wanted: WantedCertificate, error: unknown): Promise<void> {
    const { clock, log } = this.#deps;
    const fields = { host: wanted.id.host, issuer: wanted.id.directory, error: described(error) };
    if (error instanceof IssueError && error.code === 'order-gone') {
      log.info(fields, 'another certificate is ordered');
      await this.#note(wanted, {}, 'the order is not to be had any more');
      return;
    }
    log.warn(fields, 'a certificate was not issued');
    const { retryAfter = null, challenge = null, next = null } = error instanceof IssueError ? error : {};
    const failures = (this.#memories.get(nameOf(wanted.id))?.failures ?? 0) + 1;
    const lastFailure = { at: clock.now(), why: described(error), next, challenge };
    await this.#note(wanted, { failures, lastFailure, retryAfter }, `failed: ${described(error)}`);
  }

  /** A disk that does not take it changes nothing about what happened. */
  async #note(wanted: WantedCertificate, change: Partial<CertificateMemory>, text: string): Promise<void> {
    const memory = this.#memories.get(nameOf(wanted.id));
    if (memory === undefined) return;
    await this.#remember(wanted, { ...memory, ...change }, text).catch((error: unknown) =>
      this.#deps.log.warn({ host: wanted.id.host, error: described(error) }, 'what became of an order was not written'),
    );
  }

  async #remember(wanted: WantedCertificate, memory: CertificateMemory, text: string): Promise<void> {
    const line = { at: this.#deps.clock.now(), text };
    const next = { ...memory, story: [...memory.story, line].slice(-STORY_LINES) };
    this.#memories.set(nameOf(wanted.id), next);
    const known = this.#known.get(nameOf(wanted.id));
    if (known !== undefined) known.look = { ...known.look, memory: next };
    await this.#certificates.remember(wanted.id, next);
  }
}
