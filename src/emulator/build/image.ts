/** How a program is started from an image, as its Dockerfile says it. */
export interface ImageConfig {
  env: Record<string, string>;
  /** A path of the image. */
  workdir: string;
  entrypoint: string[] | null;
  cmd: string[] | null;
  /** Noted, and of no effect: programs run as whoever runs the emulator. */
  user: string | null;
  ports: number[];
  labels: Record<string, string>;
}

export interface Image {
  /** `sha256:…`, over all files and the configuration. */
  digest: string;
  /** Its files; nobody may change them. */
  folder: string;
  config: ImageConfig;
  bytes: number;
  /** Wall time, ms. */
  createdAt: number;
}

/** Why there is no image; the message is for the log. */
export class BuildFailure extends Error {
  /** What a failing RUN ended with, or 1. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** `host/path:tag` or `host/path@sha256:…`, taken apart. Without either the tag is `latest`. */
export function parseReference(reference: string): { name: string; tag: string | null; digest: string | null } {
  const [beforeDigest = '', digest] = reference.split('@');
  const colon = beforeDigest.lastIndexOf(':');
  const tagged = colon > beforeDigest.lastIndexOf('/');
  const name = tagged ? beforeDigest.slice(0, colon) : beforeDigest;
  return {
    name,
    tag: tagged ? beforeDigest.slice(colon + 1) : digest === undefined ? 'latest' : null,
    digest: digest ?? null,
  };
}
