import type { ClientReply, ClientRequest } from './client.ts';

/** Replies of the edge itself: few words, nothing about what is behind it. */
const TEXTS: Readonly<Record<number, string>> = {
  308: 'This is served over HTTPS.',
  400: 'The request could not be understood.',
  401: 'This is not open to everybody. Please sign in.',
  403: 'This is not open to you.',
  404: 'There is nothing here.',
  405: 'This method is not allowed here.',
  408: 'The request took too long to arrive.',
  413: 'The request is larger than is accepted here.',
  416: 'The requested range does not exist.',
  421: 'This host is served on a connection of its own.',
  429: 'There were too many requests. Please try again later.',
  501: 'This transfer coding is not supported.',
  502: 'The service gave no valid answer.',
  503: 'The service is not available right now. Please try again in a moment.',
  504: 'The service took too long to answer.',
  505: 'This version of HTTP is not spoken here.',
};

const page = (status: number, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>${status}</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;` +
  `color:#333}@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}}</style><h1>${status}</h1><p>${text}</p></html>\n`;

function render(status: number, text: string, accept: string, own: string | null): { type: string; body: string } {
  if (accept.includes('text/html')) return { type: 'text/html; charset=utf-8', body: own ?? page(status, text) };
  if (accept.includes('json'))
    return { type: 'application/json', body: `${JSON.stringify({ status, error: text })}\n` };
  return { type: 'text/plain; charset=utf-8', body: `${status} ${text}\n` };
}

/** Other words than those of the edge. */
export interface OwnWords {
  /** HTML, for clients that want it. */
  readonly page?: string | null;
  readonly text?: string;
}

/** Answers with a page, JSON or text, as the client prefers; returns the bytes of its body. `headers` is flat. */
export function ownReply(
  req: ClientRequest,
  res: ClientReply,
  status: number,
  headers: readonly string[] = [],
  words: OwnWords = {},
): number {
  if (res.headersSent || res.destroyed) return 0;
  const { type, body } = render(
    status,
    words.text ?? TEXTS[status] ?? '',
    req.headers.accept ?? '',
    words.page ?? null,
  );
  const bytes = Buffer.byteLength(body);
  res.writeHead(status, [
    'Content-Type',
    type,
    'Content-Length',
    String(bytes),
    'Cache-Control',
    'no-store',
    ...headers,
  ]);
  if (req.method === 'HEAD') {
    res.end();
    return 0;
  }
  res.end(body);
  return bytes;
}
