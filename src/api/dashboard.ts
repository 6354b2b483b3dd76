import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EvenkeelError } from '../ports/errors.ts';
import { OPEN } from './routes/health.ts';

/**
 * Nothing but what comes from here as a file of its own: no inline script, no inline style, no frame, no other host.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SECURITY = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=()',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

/** One file of the dashboard as it may be asked for. */
interface Asset {
  /** Below the folder. */
  readonly file: string;
  readonly type: string;
  /** Its name changes with its content. */
  readonly hashed: boolean;
  /** What lies beside it, in the order in which it is preferred. */
  readonly encodings: readonly { readonly name: string; readonly suffix: string }[];
}

/**
 * Serves the dashboard from the folder that it was built into, to anybody: it holds no secret, and asks the API for all
 * it shows. Only files that lie there can be asked for, by their exact names, so no path leads elsewhere.
 * Every path of a page that is no file is answered with the one page there is.
 */
export function serveDashboard(api: FastifyInstance, root: string): void {
  const assetsNow = lookingAgain(root);
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const [path = '/'] = request.url.split('?');
    if (isApi(path)) return notFound(reply);
    const known = await assetsNow();
    reply.headers(SECURITY);
    const asset = known.get(path);
    if (asset !== undefined && asset.file !== INDEX) return sendAsset(request, reply, join(root, asset.file), asset);
    const page = known.get(`/${INDEX}`);
    if (page === undefined) return sendNotBuilt(reply);
    if (asset === undefined && !isPage(path)) return notFound(reply);
    reply.header('cache-control', 'no-store');
    return reply.type(page.type).send(await readFile(join(root, page.file)));
  };
  for (const url of ['/', '/*'])
    api.route({ method: ['GET', 'HEAD'], url, ...OPEN, handler: answer, exposeHeadRoute: false });
}

/** Whether a request is for what everybody may see. What there is not of the API is not told to strangers. */
export const isOpen = ({ routeOptions, url }: FastifyRequest): boolean =>
  routeOptions.config.open === true && (routeOptions.url !== '/*' || !isApi(url.split('?')[0] ?? ''));

const INDEX = 'index.html';

/** Paths that are not the dashboard's, whatever it is asked for below them. */
const isApi = (path: string): boolean => /^\/+(api|openapi\.json|livez|readyz|metrics)(\/|$)/i.test(decoded(path));

/** A page has no name like a file, and none of what one climbs with. */
const isPage = (path: string): boolean => !/(^|\/)\.|\\|\0|\/\/|^\/assets\/|^\/[^/]*\.[^/]*$/.test(decoded(path));

function notFound(reply: FastifyReply): FastifyReply {
  reply.callNotFound();
  return reply;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '/.';
  }
}

async function sendAsset(
  request: FastifyRequest,
  reply: FastifyReply,
  file: string,
  asset: Asset,
): Promise<FastifyReply> {
  // A name that carries its hash says all there is about the content.
  const etag = `"${asset.file}"`;
  if (asset.hashed) {
    reply.headers({ 'cache-control': 'public, max-age=31536000, immutable', etag });
    if (request.headers['if-none-match'] === etag) return reply.status(304).send();
  } else reply.header('cache-control', 'no-cache');
  const accepted = encodingsOf(request.headers['accept-encoding']);
  const encoding = asset.encodings.find(({ name }) => accepted.has(name));
  if (asset.encodings.length > 0) reply.header('vary', 'accept-encoding');
  if (encoding !== undefined) reply.header('content-encoding', encoding.name);
  return reply.type(asset.type).send(await readFile(`${file}${encoding?.suffix ?? ''}`));
}

/** Those that a client takes; one with q=0 it does not. */
const encodingsOf = (header: string | string[] | undefined): ReadonlySet<string> =>
  new Set(
    [header ?? '']
      .flat()
      .join(',')
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.split(';')[0] ?? ''),
  );

/** What is in a folder; read again once another build has taken its place. */
function lookingAgain(root: string): () => Promise<ReadonlyMap<string, Asset>> {
  let seen = '';
  let assets: Promise<ReadonlyMap<string, Asset>> = Promise.resolve(new Map<string, Asset>());
  return async () => {
    const now = await stat(root).then(
      ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
      () => '',
    );
    if (now !== seen) {
      seen = now;
      assets = assetsIn(root);
    }
    return assets;
  };
}

async function assetsIn(root: string): Promise<ReadonlyMap<string, Asset>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const there = new Set(names);
  const assets = names.flatMap((file): [string, Asset][] => {
    const type = TYPES[extname(file)];
    if (type === undefined) return [];
    const encodings = ENCODINGS.filter(({ suffix }) => there.has(`${file}${suffix}`));
    return [[`/${file}`, { file, type, encodings, hashed: file.startsWith('assets/') }]];
  });
  return new Map(assets);
}

function sendNotBuilt(reply: FastifyReply): FastifyReply {
  const missing = new EvenkeelError({
    code: 'dashboard-not-built',
    what: 'the dashboard was not built',
    next: 'node scripts/setup.mjs, in the clone that evenkeel was started from',
  });
  return reply.status(503).type('text/plain; charset=utf-8').send(`${missing.message}\n${missing.next}\n`);
}
