import { randomBytes } from 'node:crypto';
import { sendRequest, versionOf } from '../load/http-request.ts';
import type { Target } from '../load/options.ts';
import { Recorder } from '../load/recorder.ts';
import type { LoadReport } from '../load/report.ts';
import { Session } from '../load/session.ts';
import { type KnownPackage, makeTarball, missingIn, publication, sha1Of, tarballPath } from './registry-packages.ts';
import type { Users, UsersOptions } from './users.ts';

/** Says `verdaccio/6.10.4` when its configuration has `user_agent: true`. */
const VERSION_HEADER = 'x-powered-by';
const TICK_MS = 5;
const MACHINES = 40;
const BROWSERS = 30;
const FIRST_PACKAGES = 10;

export interface RegistryCounts {
  readonly publications: number;
  readonly tags: number;
  /** PUTs among all requests, 0..1, before everything was read back. */
  readonly writeShare: number;
  /** Assets of one release's page that another release was asked for, because a weight changed in between. */
  readonly assetsAcross: number;
  /** Acknowledged versions that were read once more at the end, document and tarball. */
  readonly readBack: number;
  /** Who answered then. */
  readonly readBackFrom: readonly string[];
}

interface Ask {
  readonly what: string;
  readonly path: string;
  readonly method?: 'GET' | 'PUT';
  readonly json?: unknown;
  readonly session?: Session;
  readonly expect?: number;
  /** What is wrong with the body, or null. */
  readonly check?: (body: Buffer) => string | null;
}

interface Answer {
  readonly body: Buffer;
  readonly version: string | undefined;
}

/**
 * The users of a package registry: machines that read documents, fetch tarballs, publish and tag (no cookies, kept
 * connections, nothing sent twice), and people with a browser. Whoever reads checks what was acknowledged before.
 */
export class RegistryUsers implements Users<RegistryCounts> {
  readonly #target: Target;
  readonly #options: UsersOptions;
  readonly #recorder = new Recorder([]);
  readonly #machines = Array.from({ length: MACHINES }, (_, i) => new Session(`machine-${i}`, undefined, false));
  readonly #browsers = Array.from({ length: BROWSERS }, (_, i) => new Session(`browser-${i}`, undefined));
  readonly #packages: KnownPackage[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  readonly #run = randomBytes(3).toString('hex');
  readonly #counts = { publications: 0, tags: 0, assetsAcross: 0, readBack: 0 };
  readonly #readBackFrom = new Set<string>();
  readonly #mix: readonly [weight: number, act: () => Promise<unknown>][];
  #token = '';
  #named = 0;
  #ticker: NodeJS.Timeout | undefined;

  private constructor(options: UsersOptions) {
    this.#options = options;
    this.#target = { host: '127.0.0.1', port: options.port };
    this.#mix = [
      [10, () => this.#ask({ what: 'ping', path: '/-/ping' })],
      [26, () => this.#readDocument(pick(this.#packages))],
      [20, () => this.#fetchTarball(pick(this.#packages))],
      [4, () => this.#ask({ what: 'whoami', path: '/-/whoami', check: (body) => contains(body, 'ada') })],
      [6, () => this.#openPage()],
      [14, () => this.#publishNew()],
      [12, () => this.#publishAnother()],
      [8, () => this.#tag()],
    ];
  }

  /** Signs up, publishes the first packages, and begins. */
  static async start(options: UsersOptions): Promise<RegistryUsers> {
    const users = new RegistryUsers(options);
    const account = { name: 'ada', password: randomBytes(9).toString('hex') };
    const path = '/-/user/org.couchdb.user:ada';
    const answer = await users.#ask({ what: 'sign-up', method: 'PUT', path, json: account, expect: 201 });
    if (answer === null) throw new Error(`nobody can sign up: ${JSON.stringify(users.#recorder.report().examples)}`);
    users.#token = (JSON.parse(answer.body.toString('utf8')) as { token: string }).token;
    for (let i = 0; i < FIRST_PACKAGES; i += 1) await users.#publishNew();
    users.#start();
    return users;
  }

  async stop(): Promise<LoadReport & RegistryCounts> {
    clearInterval(this.#ticker);
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const { posts, http } = this.#recorder.sent;
    const writeShare = posts / http;
    await this.#readAllBack();
    for (const session of [...this.#machines, ...this.#browsers]) session.end();
    return { ...this.#recorder.report(), ...this.#counts, writeShare, readBackFrom: [...this.#readBackFrom] };
  }

  #start(): void {
    const begin = performance.now();
    const spacing = 1000 / this.#options.rate;
    let begun = 0;
    this.#ticker = setInterval(() => {
      const elapsed = performance.now() - begin;
      for (; begun * spacing <= elapsed; begun += 1) {
        this.#recorder.late(elapsed - begun * spacing);
        const work: Promise<unknown> = this.#act()().finally(() => this.#pending.delete(work));
        this.#pending.add(work);
      }
    }, TICK_MS);
  }

  #act(): () => Promise<unknown> {
    let left = Math.random() * this.#mix.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of this.#mix) if ((left -= weight) < 0) return act;
    return () => this.#readDocument(pick(this.#packages));
  }

  async #readDocument(known: KnownPackage): Promise<void> {
    const expected = new Map(known.versions);
    const tag = known.busy ? null : known.tag;
    // While its owner writes, the tag may be the old one or the new one.
    const check = (body: Buffer) => missingIn(body, expected, !known.busy && known.tag === tag ? tag : null);
    await this.#ask({ what: 'document', path: `/${known.name}`, check });
  }

  async #fetchTarball(known: KnownPackage): Promise<void> {
    const [version, sha1] = pick([...known.versions]);
    const check = (body: Buffer) => (sha1Of(body) === sha1 ? null : `${body.length} bytes that are not the tarball`);
    await this.#ask({ what: 'tarball', path: tarballPath(known.name, version), check });
  }

  async #publishNew(): Promise<void> {
    const known = { name: `load-${this.#run}-${this.#named++}`, versions: new Map(), tag: null, busy: true };
    if (await this.#publish(known)) this.#packages.push(known);
  }

  async #publishAnother(): Promise<void> {
    const known = pick(this.#packages);
    if (known.busy) return this.#publishNew();
    await this.#publish(known);
  }

  async #publish(known: KnownPackage): Promise<boolean> {
    known.busy = true;
    const version = `1.${known.versions.size}.0`;
    const tarball = makeTarball();
    const json = publication(known.name, version, tarball, `http://${this.#target.host}:${this.#target.port}`);
    const answer = await this.#ask({ what: 'publish', method: 'PUT', path: `/${known.name}`, json, expect: 201 });
    if (answer !== null) {
      known.versions.set(version, tarball.sha1);
      this.#counts.publications += 1;
    }
    known.busy = false;
    return answer !== null;
  }

  async #tag(): Promise<void> {
    const known = pick(this.#packages);
    if (known.busy) return this.#readDocument(known);
    known.busy = true;
    const [version] = pick([...known.versions]);
    const path = `/-/package/${known.name}/dist-tags/stable`;
    const answer = await this.#ask({ what: 'tag', method: 'PUT', path, json: version, expect: 201 });
    // After a failure nobody knows which it is.
    known.tag = answer === null ? null : version;
    if (answer !== null) this.#counts.tags += 1;
    known.busy = false;
  }

  /** A page, then all that it names, as a browser does. */
  async #openPage(): Promise<void> {
    const session = pick(this.#browsers);
    const page = await this.#ask({ what: 'page', path: '/', session, check: (body) => contains(body, '</html>') });
    const assets = page?.body.toString('utf8').matchAll(/(?:src|href)="http:\/\/[^/"]+(\/-\/static\/[^"]+)"/g) ?? [];
    await Promise.all([...assets].map(([, path = '']) => this.#fetchAsset(session, path, page?.version)));
    await this.#ask({ what: 'list', path: '/-/verdaccio/data/packages', session });
  }

  async #fetchAsset(session: Session, path: string, version: string | undefined): Promise<void> {
    const sent = await this.#send({ what: 'asset', path, session });
    if (sent === null) return;
    const by = versionOf(sent.headers, VERSION_HEADER);
    if (sent.status === 404 && by !== version) this.#counts.assetsAcross += 1;
    else if (sent.status !== 200)
      this.#recorder.fail({ kind: 'status', what: 'asset', detail: `unexpected status ${sent.status}`, version: by });
  }

  /** Answers null, and counts a failure, unless the reply is what it must be. */
  async #ask(ask: Ask): Promise<Answer | null> {
    const sent = await this.#send(ask);
    if (sent === null || sent.status >= 500) return null;
    const version = versionOf(sent.headers, VERSION_HEADER);
    const { expect = 200, check } = ask;
    if (sent.status !== expect) {
      const detail = `status ${sent.status}: ${sent.body.toString('utf8', 0, 120)}`;
      this.#recorder.fail({ kind: 'status', what: ask.what, detail, version });
      return null;
    }
    const wrong = check?.(sent.body) ?? null;
    if (wrong !== null)
      this.#recorder.fail({ kind: 'wrong-body', what: `${ask.what} ${ask.path}`, detail: wrong, version });
    return wrong === null ? { body: sent.body, version } : null;
  }

  async #send({ what, path, method = 'GET', json, session = pick(this.#machines) }: Ask) {
    this.#recorder.sent.http += 1;
    if (method === 'PUT') this.#recorder.sent.posts += 1;
    const start = performance.now();
    const outcome = await sendRequest({
      target: this.#target,
      session,
      method,
      path,
      auth: false,
      headers: this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` },
      ...(json === undefined ? {} : { body: { type: 'application/json', bytes: Buffer.from(JSON.stringify(json)) } }),
      timeoutMs: this.#options.timeoutMs,
      keepBody: true,
    });
    if (!outcome.ok) {
      this.#recorder.fail({ kind: outcome.kind, what, detail: outcome.detail });
      return null;
    }
    const version = versionOf(outcome.headers, VERSION_HEADER);
    this.#recorder.reply({ what, status: outcome.status, version, ms: performance.now() - start, slow: false });
    return outcome;
  }

  /** Whichever release took it: all that was acknowledged is there in the end, byte for byte. */
  async #readAllBack(): Promise<void> {
    for (const known of this.#packages) {
      await this.#readDocument(known);
      for (const [version, sha1] of known.versions) {
        const check = (body: Buffer) => (sha1Of(body) === sha1 ? null : 'the tarball is another');
        const answer = await this.#ask({ what: 'read back', path: tarballPath(known.name, version), check });
        if (answer === null) continue;
        this.#counts.readBack += 1;
        this.#readBackFrom.add(answer.version ?? 'unknown');
      }
    }
  }
}

function pick<T>(from: readonly T[]): T {
  const one = from[Math.floor(Math.random() * from.length)];
  if (one === undefined) throw new RangeError('nothing to pick from');
  return one;
}

const contains = (body: Buffer, text: string): string | null =>
  body.includes(text) ? null : `without ${text}: ${body.toString('utf8', 0, 80)}`;
