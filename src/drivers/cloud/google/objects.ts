import { called } from '../../../platform/google/http.ts';
import type { Google } from './google.ts';

const PAGE = 1000;
/** Deletions under way at once. */
const AT_ONCE = 16;

/** What is in a bucket, as far as one page tells: `bytes` and `objects` are null when there is more. */
export async function sizeOf(
  google: Google,
  bucket: string,
  signal: AbortSignal,
): Promise<{ bytes: number | null; objects: number | null }> {
  const client = await google.clients.storage();
  const page = await called(
    client.objects.list({ bucket, versions: true, maxResults: PAGE, fields: 'items(size),nextPageToken' }, { signal }),
  );
  if (page.nextPageToken) return { bytes: null, objects: null };
  const items = page.items ?? [];
  return { bytes: items.reduce((sum, { size }) => sum + Number(size ?? 0), 0), objects: items.length };
}

/** Deletes all objects of a bucket, former versions too. */
export async function emptyBucket(
  google: Google,
  bucket: string,
  signal: AbortSignal,
  say: (doing: string) => void,
): Promise<void> {
  const client = await google.clients.storage();
  let deleted = 0;
  for (;;) {
    const { items = [] } = await called(client.objects.list({ bucket, versions: true, maxResults: PAGE }, { signal }));
    if (items.length === 0) return;
    const left = [...items];
    const worker = async (): Promise<void> => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) {
        const object = { bucket, object: one.name ?? '', ...(one.generation ? { generation: one.generation } : {}) };
        await called(client.objects.delete(object, { signal })).catch(goneAlready);
        deleted += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    say(`deleting its objects (${deleted} so far)`);
  }
}

function goneAlready(error: unknown): void {
  if (!(error instanceof Error && 'status' in error && error.status === 404)) throw error;
}
