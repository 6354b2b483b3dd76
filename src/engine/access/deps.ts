import type { SessionRule } from '../../domain/access/sessions.ts';
import type { AccessStore } from '../../ports/access-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Credentials } from '../../ports/credentials.ts';

/** What signing in and being recognised needs. */
export interface AccessDeps {
  readonly store: AccessStore;
  readonly credentials: Credentials;
  readonly clock: Pick<Clock, 'now'>;
  /** As `newId` of the platform. */
  newId(prefix: string): string;
  readonly rule: SessionRule;
}

/** From where somebody asks. */
export interface Caller {
  /** Of the client, as the rules for proxies say; null when it came by a Unix socket. */
  readonly address: string | null;
  readonly agent: string | null;
  /** The cookie that came with the request, if any: it ends with the sign-in. */
  readonly cookie: string | null;
}
