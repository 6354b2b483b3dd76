import { createHash, randomBytes } from 'node:crypto';

/** What is known of a package from replies: whatever was acknowledged must be there from then on. */
export interface KnownPackage {
  readonly name: string;
  /** SHA-1 of the tarball of each version. */
  readonly versions: Map<string, string>;
  tag: string | null;
  /** A person publishes a package; two at a time would be a conflict of theirs. */
  busy: boolean;
}

export interface Tarball {
  readonly bytes: Buffer;
  readonly sha1: string;
}

export function makeTarball(): Tarball {
  const bytes = randomBytes(2_000 + Math.floor(Math.random() * 18_000));
  return { bytes, sha1: createHash('sha1').update(bytes).digest('hex') };
}

export const tarballPath = (name: string, version: string): string => `/${name}/-/${name}-${version}.tgz`;

/** The document that `npm publish` sends. */
export function publication(name: string, version: string, tarball: Tarball, origin: string): object {
  const file = `${name}-${version}.tgz`;
  const dist = {
    shasum: tarball.sha1,
    integrity: `sha512-${createHash('sha512').update(tarball.bytes).digest('base64')}`,
    tarball: `${origin}${tarballPath(name, version)}`,
  };
  return {
    _id: name,
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { _id: `${name}@${version}`, name, version, description: 'steady as she goes', dist } },
    access: null,
    _attachments: {
      [file]: {
        content_type: 'application/octet-stream',
        data: tarball.bytes.toString('base64'),
        length: tarball.bytes.length,
      },
    },
  };
}

/** What a package's document lacks of what was acknowledged before it was asked for; null when it is whole. */
export function missingIn(body: Buffer, expected: ReadonlyMap<string, string>, tag: string | null): string | null {
  let document: { versions?: Record<string, { dist?: { shasum?: string } }>; 'dist-tags'?: Record<string, string> };
  try {
    document = JSON.parse(body.toString('utf8')) as typeof document;
  } catch {
    return `not JSON: ${body.toString('utf8', 0, 80)}`;
  }
  for (const [version, sha1] of expected) {
    const found = document.versions?.[version]?.dist?.shasum;
    if (found !== sha1)
      return `version ${version} was acknowledged, and is ${found === undefined ? 'lost' : 'another'}`;
  }
  if (tag !== null && document['dist-tags']?.['stable'] !== tag) return `the tag stable was acknowledged as ${tag}`;
  return null;
}

export const sha1Of = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');
