import { stat } from 'node:fs/promises';
import { hostsOf } from '../../domain/certificate/acme.ts';
import type { GivenCertificate, TlsFacts } from '../../domain/doctor/facts.ts';
import type { Project } from '../../domain/project/project.ts';
import { acmeCertificates } from '../../drivers/certificates/acme/acme-certificates.ts';
import { readCertificatePair } from '../../platform/certificate.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { readTextIfThere } from '../../platform/read-json.ts';

/** Certificates of a project as their files are now, as this user sees them; null when nothing is served over TLS. */
export async function readCertificates(project: Project, paths: EvenkeelPaths): Promise<TlsFacts | null> {
  const { tls } = project.environment;
  if (tls === undefined) return null;
  const hosts = hostsOf(project.services);
  const { acme } = tls;
  const kept = acmeCertificates({ folder: paths.certificates, answer: () => Promise.resolve() });
  return {
    hosts,
    given: await Promise.all(tls.certificates.map(readGiven)),
    issued:
      acme === undefined
        ? []
        : await Promise.all(
            hosts.map(async (host) => {
              const { installed, memory } = await kept.look({ directory: acme.directory, host });
              return { host, installed, lastFailure: memory.lastFailure };
            }),
          ),
    issuerFile: acme?.ca === undefined || acme.ca === null ? null : await unreadable(acme.ca),
  };
}

async function readGiven(pair: { cert: string; key: string }): Promise<GivenCertificate> {
  const read = await readCertificatePair(pair);
  const exposed = await stat(pair.key).then(
    ({ mode }) => (mode & 0o077) !== 0,
    () => false,
  );
  if (!read.ok)
    return { ...pair, names: [], notBefore: null, notAfter: null, error: read.error, chain: 'whole', exposed };
  const { names, notBefore, notAfter, chain } = read.pair;
  return { ...pair, names, notBefore, notAfter, error: null, chain, exposed };
}

async function unreadable(path: string): Promise<{ path: string; code: string } | null> {
  try {
    return (await readTextIfThere(path)) === null ? { path, code: 'ENOENT' } : null;
  } catch (error) {
    return { path, code: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}
