import { certificateConcerns } from '../domain/traffic/tls.ts';
import type { CertificatePair } from '../domain/traffic/tls.ts';
import { readCertificatePair } from '../platform/certificate.ts';

/** What is to be said about certificates as their files are now, as this user sees them. */
export async function concernsOfFiles(pairs: readonly CertificatePair[], hosts: readonly string[]): Promise<string[]> {
  const seen = await Promise.all(
    pairs.map(async (pair) => {
      const read = await readCertificatePair(pair);
      if (!read.ok) return { cert: pair.cert, names: [], notBefore: null, notAfter: null, error: read.error };
      const { names, notBefore, notAfter } = read.pair;
      return { cert: pair.cert, names, notBefore, notAfter, error: null };
    }),
  );
  return certificateConcerns(seen, hosts, Date.now());
}
