/** One image of one service, built by the provider from a folder here. */
export interface ImageRequest {
  /** The service's name, for tags and messages. */
  service: string;
  /** Build context, absolute. */
  context: string;
  /** Absolute; may lie outside of the context. */
  dockerfile: string;
  /** Without a tag: `REGION-docker.pkg.dev/PROJECT/REPOSITORY/SERVICE`. */
  image: string;
  /** The time stamp that becomes a tag beside `latest`, such as `20261121-215807`. */
  tag: string;
  /**
   * Folders, relative to the context, of which nothing but their `package.json` is sent: packages of the workspace that
   * the service does not need.
   */
  leaveOut?: readonly string[];
  /** An image that was built of the same sources, and is still there, does. */
  reuse?: boolean;
  /** Minutes after which a build is ended. */
  limitMin?: number;
  /** Whoever only leaves is waited for by a build that goes on; when this has fired, it is ended there too, and not paid for. */
  unwanted?: AbortSignal;
}

export interface BuiltImage {
  /** With the tag of the time stamp. */
  image: string;
  tags: string[];
  /** `sha256:…`: what to deploy, since a tag can be moved. */
  digest: string | null;
  /** The provider's id of the build, and where people read its log. */
  build: string;
  logUrl: string | null;
  /** A build of the same sources was under way, begun by a run that was interrupted, and was waited for. */
  joined: boolean;
  /** It had been built of the same sources, and was there: nothing was built. */
  reused?: boolean;
}

export interface BuildEvents {
  /** One line of the build's log. */
  line(text: string): void;
  /** What is being done, in words. */
  step(doing: string): void;
}

export interface ImageBuilder {
  /**
   * Packs the context (without what `.gcloudignore`, else `.dockerignore`, else `.gitignore` leaves out), builds it there,
   * and follows the log. Throws `cloud-build-failed` with the end of the log, exit 2.
   */
  build(request: ImageRequest, events: BuildEvents, signal: AbortSignal): Promise<BuiltImage>;
}
