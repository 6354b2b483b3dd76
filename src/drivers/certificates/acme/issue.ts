import { createPrivateKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { CertificateId, ChallengeType } from '../../../domain/certificate/acme.ts';
import { IssueError } from '../../../ports/certificates.ts';
import type { IssuedCertificate, IssueOptions } from '../../../ports/certificates.ts';
import type { Accounts } from './account.ts';
import { isHttps, waitFor } from './client.ts';
import type { Answer, AcmeClient } from './client.ts';
import { nonsense, problemSchema, refused } from './failure.ts';
import { chainFault, keyText, newKey } from './files.ts';
import type { IssuerFiles, StoredOrder } from './files.ts';
import { prove } from './prove.ts';
import type { AnswerChallenges } from './prove.ts';
import { certificateRequest } from './requests.ts';

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: z.array(z.string()).default([]),
  finalize: z.string().default(''),
  certificate: z.string().optional(),
  error: problemSchema.optional(),
});
type Order = z.infer<typeof orderSchema>;

/** For the issuer to make a certificate once it believes that the host is ours. */
const PATIENCE_MS = 180_000;
/** An order that was not finished by then is begun anew. */
const ORDER_MS = 86_400_000;

export interface IssuerTools {
  files: IssuerFiles;
  accounts: Accounts;
  answer: AnswerChallenges;
}

/**
 * From an order to a certificate in its file. Each step begins with what the issuer says of the order, so that it goes on
 * where it was cut off; the order and its key are on disk before anything else is done about them.
 */
export async function issue(tools: IssuerTools, id: CertificateId, how: IssueOptions): Promise<IssuedCertificate> {
  const { files, accounts } = tools;
  const installed = await files.installed(id);
  const begun = await openOrder(files, id, installed?.key ?? null);
  try {
    return await attempt(tools, id, how, begun);
  } catch (error) {
    const { problem } = error instanceof IssueError ? error : { problem: null };
    if (problem !== 'accountDoesNotExist') throw error;
    // An order belongs to its account.
    await accounts.forget(id.directory);
    await files.forgetOrder(id);
    if (begun !== null) throw orderGone(id);
    how.tell('the issuer does not know the account any more; it is made anew');
    return attempt(tools, id, how, null);
  }
}

/** One whose certificate is in use already was only not put away; one that leads nowhere must not be held on to. */
export async function openOrder(
  files: IssuerFiles,
  id: CertificateId,
  installedKey: string | null,
): Promise<StoredOrder | null> {
  const order = await files.order(id).catch(() => null);
  const stale = order !== null && Math.abs(Date.now() - order.at) > ORDER_MS;
  return order === null || stale || order.key === installedKey ? null : order;
}

async function attempt(
  tools: IssuerTools,
  id: CertificateId,
  how: IssueOptions,
  begun: StoredOrder | null,
): Promise<IssuedCertificate> {
  const { files } = tools;
  const { client, key } = await tools.accounts.open(how.acme, id.host, how.signal);
  const stored = begun ?? (await newOrder(files, client, id, how));
  let challenge: ChallengeType | null = null;
  let order = await readOrder(client, id, stored, begun !== null, files);
  const deadline = Date.now() + PATIENCE_MS;
  for (let isFirst = true; ; isFirst = false) {
    switch (order.value.status) {
      case 'pending':
        for (const url of order.value.authorizations)
          challenge =
            (await prove({ client, key, id, how, answer: tools.answer }, url).catch(async (error: unknown) => {
              // What was refused once is so for good: the next try is another order.
              if (error instanceof IssueError && error.code === 'certificate-refused') await files.forgetOrder(id);
              throw error;
            })) ?? challenge;
        break;
      case 'ready':
        how.tell('the issuer believes that the host is ours');
        await finalize(client, id, stored, order.value);
        break;
      case 'processing':
        break;
      case 'valid':
        return { ...(await fetchCertificate(tools, client, id, stored, order.value)), challenge };
      case 'invalid':
        await files.forgetOrder(id);
        // It ended while nobody looked.
        if (begun !== null && isFirst) throw orderGone(id);
        throw refused(order.value.error ?? { type: 'invalid', detail: 'the order has become invalid' }, {
          host: id.host,
          challenge,
          step: 'the certificate',
        });
    }
    if (Date.now() > deadline) throw tooLong(id);
    await sleep(waitFor(order), undefined, { signal: how.signal });
    order = await readOrder(client, id, stored, true, files);
  }
}

async function newOrder(
  files: IssuerFiles,
  client: AcmeClient,
  id: CertificateId,
  how: IssueOptions,
): Promise<StoredOrder> {
  const directory = await client.directory();
  await how.ordering();
  const payload = { identifiers: [{ type: 'dns', value: id.host }] };
  const { location } = await client.post(directory.newOrder, payload, { host: id.host, step: 'an order' });
  if (!isHttps(location)) throw nonsense(directory.newOrder, 'it names no order');
  const stored = { url: location, key: keyText(newKey()), at: Date.now() };
  await files.saveOrder(id, stored);
  return stored;
}

async function readOrder(
  client: AcmeClient,
  id: CertificateId,
  { url }: StoredOrder,
  known: boolean,
  files: IssuerFiles,
): Promise<Answer & { value: Order }> {
  try {
    return await client.read(url, null, orderSchema, { host: id.host, step: 'a look at the order' });
  } catch (error) {
    const gone = error instanceof IssueError && /^(malformed|unauthorized|about:blank)$/.test(error.problem ?? '');
    if (!known || !gone) throw error;
    await files.forgetOrder(id);
    throw orderGone(id);
  }
}

async function finalize(client: AcmeClient, { host }: CertificateId, stored: StoredOrder, order: Order): Promise<void> {
  const csr = certificateRequest(host, createPrivateKey(stored.key)).toString('base64url');
  await client.post(order.finalize, { csr }, { host, step: 'the certificate' }).catch((error: unknown) => {
    // It was asked for before, by a controller that did not live to see it: the order says so when it is read again.
    if (!(error instanceof IssueError) || error.problem !== 'orderNotReady') throw error;
  });
}

async function fetchCertificate(
  { files }: IssuerTools,
  client: AcmeClient,
  id: CertificateId,
  stored: StoredOrder,
  order: Order,
): Promise<{ notBefore: number; notAfter: number }> {
  const { host } = id;
  const { text } = await client.post(order.certificate ?? '', null, { host, step: 'the certificate' });
  const fault = chainFault(text, host, createPrivateKey(stored.key));
  if (fault !== null) {
    await files.forgetOrder(id);
    throw nonsense(order.certificate ?? stored.url, `the certificate cannot be used: ${fault}`);
  }
  await files.install(id, text, stored.key);
  await files.forgetOrder(id);
  await files.sweep(id.directory);
  const installed = await files.installed(id);
  if (installed === null) throw nonsense(stored.url, 'the certificate cannot be read again');
  return { notBefore: installed.notBefore, notAfter: installed.notAfter };
}

const orderGone = ({ host }: CertificateId): IssueError =>
  new IssueError({ code: 'order-gone', what: `the order for ${host} is not to be had any more`, retryable: true });

const tooLong = ({ host }: CertificateId): IssueError =>
  new IssueError({
    code: 'issuer-slow',
    what: `the issuer has not made the certificate for ${host} yet`,
    retryable: true,
  });
