import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/** PEM files: a certificate with what it was signed by, and its key. */
export interface PairOfFiles {
  readonly cert: string;
  readonly key: string;
}

export interface ReadPair {
  readonly cert: string;
  readonly key: string;
  /** Hosts and addresses that it is for. */
  readonly names: string[];
  /** Wall time, ms. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `alone`: what it was signed by is not in the file; `broken`: the second in the file did not sign the first. */
  readonly chain: 'whole' | 'alone' | 'broken';
}

/** Reads a certificate and its key and sees that they belong together; or says why not, and what to do. Never rejects. */
export async function readCertificatePair(
  pair: PairOfFiles,
): Promise<{ ok: true; pair: ReadPair } | { ok: false; error: string }> {
  try {
    const [cert, key] = await Promise.all([readPem(pair.cert), readPem(pair.key)]);
    const found = certificateIn(cert, pair.cert);
    if (!found.checkPrivateKey(keyIn(key, pair.key)))
      throw new Error(`${pair.key} is not the key of ${pair.cert}; put both files of one certificate there`);
    const names = namesOf(found.subjectAltName ?? '');
    return {
      ok: true,
      pair: {
        cert,
        key,
        names,
        notBefore: Date.parse(found.validFrom),
        notAfter: Date.parse(found.validTo),
        chain: chainIn(cert, found),
      },
    };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Differs when a file was written, replaced, or a link on the way to it leads elsewhere. */
export async function signatureOf(pair: PairOfFiles): Promise<string> {
  const signatures = [pair.cert, pair.key].map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(':');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'unknown';
    }
  });
  return (await Promise.all(signatures)).join(' ');
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(unreadable(path, (cause as NodeJS.ErrnoException).code ?? 'unknown'), { cause });
  }
}

function unreadable(path: string, code: string): string {
  if (code === 'ENOENT') return `there is no file ${path}; put it there, or correct \`tls\` in evenkeel.yaml`;
  if (code === 'EACCES') return `${path} may not be read by the user that evenkeel runs as; let that user read it`;
  return `${path} cannot be read (${code})`;
}

function certificateIn(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new Error(`${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
  }
}

function chainIn(text: string, first: X509Certificate): ReadPair['chain'] {
  const [, second] = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (second === undefined) return first.issuer === first.subject ? 'whole' : 'alone';
  try {
    return first.checkIssued(new X509Certificate(second)) ? 'whole' : 'broken';
  } catch {
    return 'broken';
  }
}

function keyIn(text: string, path: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(text);
  } catch {
    const encrypted = /ENCRYPTED/.test(text);
    throw new Error(
      encrypted
        ? `${path} is locked by a passphrase, which nobody could type at night; take it off: openssl pkey -in OLD -out NEW`
        : `${path} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)`,
    );
  }
}

const namesOf = (alternatives: string): string[] =>
  [...alternatives.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(([, name = '']) => name.toLowerCase());
