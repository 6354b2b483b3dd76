import type { ServerResponse } from 'node:http';
import type { Download } from './call.ts';
import { DATA_HEADERS } from './shield-headers.ts';
import { drained } from './drained.ts';

/** Sends a file as it is made. A reader that is slow is waited for; one that gets no end sees that it is not whole. */
export async function writeDownload(
  out: ServerResponse,
  { type, name, lines }: Download,
  signal: AbortSignal,
): Promise<void> {
  out.writeHead(200, {
    'content-type': type,
    'content-disposition': `attachment; filename="${name}"`,
    ...DATA_HEADERS,
  });
  try {
    for await (const line of lines) {
      if (signal.aborted) return;
      if (!out.write(line)) await drained(out, signal);
    }
    out.end();
  } catch {
    out.destroy();
  }
}
