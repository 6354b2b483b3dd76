import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { bits, explicit, implicit, integer, octets, oid, sequence, set, text, time, yes } from './der.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** RFC 8737. */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
const COMMON_NAME = '2.5.4.3';
const DNS_NAME = 2;

const DAY_MS = 86_400_000;

/** A request for a certificate of one host (PKCS #10, DER), signed with the key that the certificate is for: P-256. */
export function certificateRequest(host: string, key: KeyObject): Buffer {
  const extensions = explicit(0, sequence(oid(EXTENSION_REQUEST), set(sequence(alternativeName(host)))));
  return signed(key, sequence(integer(Buffer.from([0])), sequence(), publicKeyOf(key), extensions));
}

/**
 * The certificate that proves a host by TLS-ALPN-01, in PEM form: self-signed, and good for nothing else. `now`: wall
 * time, ms.
 */
export function challengeCertificate(
  { host, keyAuthorization, now }: { host: string; keyAuthorization: string; now: number },
  key: KeyObject,
): string {
  const name = sequence(set(sequence(oid(COMMON_NAME), text('evenkeel challenge'))));
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const proof = sequence(oid(ACME_IDENTIFIER), yes(), octets(octets(digest)));
  const certificate = signed(
    key,
    sequence(
      explicit(0, integer(Buffer.from([2]))),
      integer(randomBytes(16)),
      algorithm(),
      name,
      sequence(time(now - DAY_MS), time(now + 7 * DAY_MS)),
      name,
      publicKeyOf(key),
      explicit(3, sequence(alternativeName(host), proof)),
    ),
  );
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const alternativeName = (host: string): Buffer =>
  sequence(oid(SUBJECT_ALTERNATIVE_NAME), octets(sequence(implicit(DNS_NAME, Buffer.from(host, 'ascii')))));

const algorithm = (): Buffer => sequence(oid(ECDSA_WITH_SHA256));

const publicKeyOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

const signed = (key: KeyObject, content: Buffer): Buffer =>
  sequence(content, algorithm(), bits(sign('sha256', content, key)));
