import type { ClientReply, ClientRequest } from '../proxy/client.ts';
import { ownReply } from '../proxy/own-reply.ts';
import type { Located } from './locate.ts';
import { Locator, segmentsOf } from './locate.ts';
import { looksLikeAsset } from './media-types.ts';
import { sendFile } from './send-file.ts';

/** What the proxy tells a site about a request, and wants to hear. */
export interface ServeOptions {
  /** Path of the service's route: a build made for it may or may not repeat it in its folders. */
  readonly prefix: string;
  /** Sites of the other hot releases: a page of one may ask for the assets of another. */
  readonly elsewhere: readonly StaticSite[];
  /** The status is known; about to send a body of so many bytes. */
  started(status: number, bytes: number): void;
  /** HTML for a refusal with this status, if somebody made any. */
  page?(status: number): string | null;
  /** Flat headers for a reply that anybody may keep. */
  shared(): readonly string[];
  /** Flat headers for a reply that only this client may keep: a page. */
  privately(): readonly string[];
}

/** Encodings that a build may have prepared, best first. */
const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

interface Found {
  readonly segments: readonly string[];
  readonly file: Located;
}

/** A folder served as a web site. Its content does not change: a new build is a new folder. */
export class StaticSite {
  readonly root: string;
  readonly #spa: boolean;
  readonly #locator: Locator;

  constructor(root: string, spa: boolean) {
    this.root = root;
    this.#spa = spa;
    this.#locator = new Locator(root);
  }

  get spa(): boolean {
    return this.#spa;
  }

  /** Answers a request. Never throws, nor later. */
  serve(req: ClientRequest, res: ClientReply, options: ServeOptions): void {
    this.#serve(req, res, options).catch(() => {
      if (res.headersSent) res.destroy();
      else this.#refuse(req, res, 500, options);
    });
  }

  async #serve(req: ClientRequest, res: ClientReply, options: ServeOptions): Promise<void> {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      this.#refuse(req, res, 405, options, ['Allow', 'GET, HEAD']);
      return;
    }
    const [urlPath, query] = splitQuery(req.url ?? '/');
    const asked = segmentsOf(urlPath);
    if (asked === null) {
      this.#refuse(req, res, 400, options);
      return;
    }
    const segments = await this.#withoutPrefix(asked, options.prefix);
    const here = await this.#locator.find(segments);
    if (here.kind === 'folder') {
      if (!urlPath.endsWith('/') && (await this.file([...segments, 'index.html'])) !== null) {
        options.started(308, 0);
        res.writeHead(308, [
          ...options.shared(),
          'Location',
          `/${urlPath.replace(/^\/+/, '')}/${query}`,
          'Content-Length',
          '0',
        ]);
        res.end();
        return;
      }
    }
    // A file is no folder: relative links in it would lead nowhere.
    const isFile = here.kind === 'file' && !urlPath.endsWith('/');
    const found = isFile ? { segments, file: here.file } : await this.#fallback(req, segments, urlPath, options);
    if (found === null) {
      this.#refuse(req, res, 404, options);
      return;
    }
    const isPage = /\.html?$/i.test(found.file.path);
    const encoded = 'site' in found ? null : await this.#encoded(req, found);
    await sendFile(req, res, {
      name: found.segments.at(-1) ?? 'index.html',
      file: encoded?.file ?? found.file,
      encoding: encoded?.encoding ?? null,
      varies: encoded?.varies ?? false,
      headers: isPage ? options.privately() : options.shared(),
      started: (status, bytes) => options.started(status, bytes),
    });
  }

  /** A build for `/docs` holds `docs/index.html` or, more often, `index.html`. */
  async #withoutPrefix(segments: readonly string[], prefix: string): Promise<readonly string[]> {
    const own = prefix.split('/').filter((segment) => segment !== '');
    if (own.length === 0 || (await this.#locator.find(own)).kind !== 'none') return segments;
    return segments.slice(own.length);
  }

  /** The file at a path, or null. */
  async file(segments: readonly string[]): Promise<Located | null> {
    const found = await this.#locator.find(segments);
    return found.kind === 'file' ? found.file : null;
  }

  /** A folder's index, another release's asset, or the application's one page. */
  async #fallback(
    req: ClientRequest,
    segments: readonly string[],
    urlPath: string,
    { elsewhere }: ServeOptions,
  ): Promise<(Found & { site?: StaticSite }) | null> {
    if (urlPath.endsWith('/')) {
      const index = await this.file([...segments, 'index.html']);
      if (index !== null) return { segments: [...segments, 'index.html'], file: index };
    } else {
      for (const site of elsewhere) {
        const file = await site.file(segments);
        if (file !== null && !/\.html?$/i.test(file.path)) return { segments, file, site };
      }
    }
    const navigates = (req.headers.accept ?? '').includes('text/html');
    if (!this.#spa || !navigates || looksLikeAsset(urlPath)) return null;
    const page = await this.file(['index.html']);
    return page === null ? null : { segments: ['index.html'], file: page };
  }

  /** A prepared encoding that the client takes. */
  async #encoded(
    req: ClientRequest,
    { segments, file }: Found,
  ): Promise<{ file: Located; encoding: string | null; varies: boolean }> {
    const accepted = acceptedEncodings(req.headers['accept-encoding']);
    const last = segments.at(-1) ?? '';
    let varies = false;
    for (const { name, suffix } of ENCODINGS) {
      const sibling = await this.file([...segments.slice(0, -1), last + suffix]);
      if (sibling === null) continue;
      varies = true;
      if (accepted.has(name)) return { file: sibling, encoding: name, varies };
    }
    return { file, encoding: null, varies };
  }

  #refuse(
    req: ClientRequest,
    res: ClientReply,
    status: number,
    options: ServeOptions,
    more: readonly string[] = [],
  ): void {
    const page = options.page?.(status) ?? null;
    options.started(status, ownReply(req, res, status, [...options.shared(), ...more], { page }));
  }
}

function splitQuery(url: string): [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}

function acceptedEncodings(header: string | string[] | undefined): Set<string> {
  const accepted = new Set<string>();
  for (const part of String(header ?? '').split(',')) {
    const [name = '', ...parameters] = part.trim().toLowerCase().split(';');
    if (!parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter))) accepted.add(name.trim());
  }
  return accepted;
}
