/** Content types of what a web build holds. Anything else is bytes. */
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json',
  map: 'application/json',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  xml: 'application/xml',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  ico: 'image/x-icon',
  woff: 'font/woff',
  woff2: 'font/woff2',
  ttf: 'font/ttf',
  otf: 'font/otf',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
  pdf: 'application/pdf',
  wasm: 'application/wasm',
  zip: 'application/zip',
};

/** Lower-case extension of a path's last segment, or ''. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

export const mediaType = (path: string): string => TYPES[extensionOf(path)] ?? 'application/octet-stream';

/** Whether a missing path was surely meant as a file, not as a page of a single-page application. */
export const looksLikeAsset = (path: string): boolean => {
  const extension = extensionOf(path);
  return extension !== 'html' && extension !== 'htm' && extension in TYPES;
};

/**
 * Whether a name carries a hash of its content, as bundlers write them (`app-BX3kf9aQ.js`, `main.3f9c1a2b.css`): then
 * it may be cached for ever. A date alone is no hash, and neither is a word.
 */
export function isContentNamed(path: string): boolean {
  const hash = /[.-]([A-Za-z0-9_-]{8,32})\.[a-z0-9]+$/.exec(path)?.[1];
  if (hash === undefined || /^\d+$/.test(hash)) return false;
  return /\d/.test(hash) ? /[A-Za-z]/.test(hash) : /[a-z][A-Z]/.test(hash) && /[A-Z].*[A-Z]/.test(hash);
}
