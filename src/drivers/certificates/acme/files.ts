import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CHALLENGES } from '../../../domain/certificate/acme.ts';
import type { CertificateId } from '../../../domain/certificate/acme.ts';
import { covers } from '../../../domain/traffic/tls.ts';
import { NOTHING_TRIED } from '../../../ports/certificates.ts';
import type { CertificateMemory } from '../../../ports/certificates.ts';
import { sweepUnfinished, writeFileAtomic } from '../../../platform/atomic-file.ts';
import { readCertificatePair } from '../../../platform/certificate.ts';
import { readJson } from '../../../platform/read-json.ts';

const orderSchema = z.object({ url: z.string(), key: z.string(), at: z.number() });
/** An order, and the key that its certificate is for. */
export type StoredOrder = z.infer<typeof orderSchema>;

const accountSchema = z.object({ key: z.string(), url: z.string().nullable(), email: z.string().nullable() });
export type StoredAccount = z.infer<typeof accountSchema>;

const memorySchema = z.object({
  orders: z.array(z.number()),
  issuedAt: z.number().nullable(),
  failures: z.number(),
  lastFailure: z
    .object({
      at: z.number(),
      why: z.string(),
      next: z.string().nullable(),
      challenge: z.enum(CHALLENGES).nullable(),
    })
    .nullable(),
  retryAfter: z.number().nullable(),
  story: z.array(z.object({ at: z.number(), text: z.string() })),
}) satisfies z.ZodType<CertificateMemory>;

/**
 * What is kept of an issuer, for its owner alone: `account.json`, and for each host `HOST.pem` (the chain and its key in
 * one file, so that they change in one step), `HOST.order.json` while an order is under way, and `HOST.json`, what was
 * tried.
 */
export class IssuerFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pem({ directory, host }: CertificateId): string {
    return join(this.folder(directory), `${fileName(host)}.pem`);
  }

  folder(directory: string): string {
    const { hostname } = new URL(directory);
    const digest = createHash('sha256').update(directory).digest('hex').slice(0, 8);
    return join(this.#folder, `${fileName(hostname)}-${digest}`);
  }

  /** The certificate if it works for the host, whatever its times. */
  async installed(id: CertificateId): Promise<{ notBefore: number; notAfter: number; key: string } | null> {
    const path = this.pem(id);
    const read = await readCertificatePair({ cert: path, key: path });
    if (!read.ok || !covers(read.pair.names, id.host)) return null;
    const { notBefore, notAfter, key } = read.pair;
    return { notBefore, notAfter, key: keyText(createPrivateKey(key)) };
  }

  async install(id: CertificateId, chain: string, key: string): Promise<void> {
    await this.#write(this.pem(id), `${chain.trim()}\n${key.trim()}\n`);
  }

  async order(id: CertificateId): Promise<StoredOrder | null> {
    const parsed = orderSchema.safeParse(await readJson(this.#file(id, 'order.json')));
    return parsed.success ? parsed.data : null;
  }

  async saveOrder(id: CertificateId, order: StoredOrder): Promise<void> {
    await this.#write(this.#file(id, 'order.json'), JSON.stringify(order));
  }

  async forgetOrder(id: CertificateId): Promise<void> {
    await rm(this.#file(id, 'order.json'), { force: true });
  }

  async memory(id: CertificateId): Promise<CertificateMemory> {
    const parsed = memorySchema.safeParse(await readJson(this.#file(id, 'json')).catch(() => null));
    return parsed.success ? parsed.data : NOTHING_TRIED;
  }

  async saveMemory(id: CertificateId, memory: CertificateMemory): Promise<void> {
    await this.#write(this.#file(id, 'json'), JSON.stringify(memory));
  }

  async account(directory: string): Promise<StoredAccount | null> {
    const parsed = accountSchema.safeParse(await readJson(join(this.folder(directory), 'account.json')));
    return parsed.success ? parsed.data : null;
  }

  async saveAccount(directory: string, account: StoredAccount): Promise<void> {
    await this.#write(join(this.folder(directory), 'account.json'), JSON.stringify(account));
  }

  async sweep(directory: string): Promise<void> {
    await sweepUnfinished(this.folder(directory));
  }

  async #write(path: string, content: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, content, { mode: 0o600 });
  }

  #file(id: CertificateId, ending: string): string {
    return join(this.folder(id.directory), `${fileName(id.host)}.${ending}`);
  }
}

/** Hosts come checked from the file; nothing else shall become part of a path either. */
const fileName = (host: string): string =>
  host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '_')
    .replace(/^\.+/, '_');

export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export const keyText = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Why a chain that was sent is not the certificate that was asked for, or null. */
export function chainFault(chain: string, host: string, key: KeyObject): string | null {
  try {
    const certificate = new X509Certificate(chain);
    if (!certificate.checkPrivateKey(key)) return 'it is for another key';
    return certificate.checkHost(host) === undefined ? `it is not for ${host}` : null;
  } catch {
    return 'it is no certificate in PEM form';
  }
}
