import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../src/platform/process/spawn.ts';

/** A certificate and its key, as files. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** The certificate itself: what clients are to trust. */
  readonly pem: string;
}

/** Why no certificates can be made here, or null. */
export const noOpenssl: string | null = await runCommand(['openssl', 'version']).then(
  ({ code }) => (code === 0 ? null : 'openssl does not run'),
  () => 'openssl is not installed',
);
if (noOpenssl !== null) console.warn(`tests of TLS are left out: ${noOpenssl}`);

/** A self-signed certificate for some hosts, in `FOLDER/NAME.crt` and `FOLDER/NAME.key`. `days`: -1 for one that has expired. */
export async function certificate(
  folder: string,
  name: string,
  hosts: readonly string[],
  days = 90,
): Promise<TestCertificate> {
  const [cert, key, request] = ['crt', 'key', 'csr'].map((ending) => join(folder, `${name}.${ending}`)) as [
    string,
    string,
    string,
  ];
  const alternatives = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const extension = ['-addext', `subjectAltName=${alternatives}`];
  await openssl('req', '-new', ...curve, '-out', request, '-subj', `/CN=${name}`, ...extension);
  const sign = ['-req', '-in', request, '-signkey', key, '-copy_extensions', 'copy', '-out', cert];
  await openssl('x509', ...sign, '-days', String(days));
  return { cert, key, pem: readFileSync(cert, 'utf8') };
}

async function openssl(...args: string[]): Promise<void> {
  const { code, stderr } = await runCommand(['openssl', ...args]);
  if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
}
