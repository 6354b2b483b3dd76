import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import { useChange } from '../api/change.ts';
import { useNow } from '../ui/clock.ts';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { ago, dateAndTime, fullTime } from '../ui/times.ts';
import styles from './Settings.module.css';

const BY: Readonly<Record<string, string>> = { password: 'password', link: 'a link', oidc: 'an account elsewhere' };

/** Where one is signed in, and the way to end what one does not know. */
export function Sessions() {
  const now = useNow();
  const { data, error, refetch } = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => api.listSessions({}, { signal }),
  });
  const end = useChange((session: string) => api.endSession({ session }), { touches: ['sessions'] });
  return (
    <section className="panel" aria-label="Sessions">
      <header>
        <h2>Where you are signed in</h2>
      </header>
      {data === undefined ? (
        <div className={styles['body']}>
          {error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />}
        </div>
      ) : (
        <ul className={styles['list']}>
          {data.sessions.map(({ id, method, address, agent, createdAt, seenAt, expiresAt, current }) => (
            <li key={id}>
              <div className={styles['grow']}>
                <p>
                  {browserOf(agent)} {current && <span className={styles['tag']}>this one</span>}
                </p>
                <p className="muted" title={`${agent ?? ''}\nsince ${fullTime(createdAt)}`}>
                  {address ?? 'from an unknown address'}, by {BY[method] ?? method}, seen {ago(seenAt, now)}, until{' '}
                  {dateAndTime(expiresAt)}
                </p>
              </div>
              {!current && (
                <Button
                  variant="default"
                  size="xs"
                  onClick={() => end.mutate(id)}
                  aria-busy={end.isPending && end.variables === id}
                >
                  End
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {end.error !== null && (
        <div className={styles['body']}>
          <Problem error={end.error} />
        </div>
      )}
    </section>
  );
}

/** What people call it; the whole text is in the tooltip. */
function browserOf(agent: string | null): string {
  if (agent === null) return 'Something that does not say what it is';
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrom(e|ium)\//.test(agent)
        ? 'Chrome'
        : /Safari\//.test(agent)
          ? 'Safari'
          : agent.slice(0, 40);
  const system = /\((?:[^;)]*; )?(Android|iPhone|iPad|Windows|Macintosh|Linux|X11)/.exec(agent)?.[1];
  return system === undefined ? browser : `${browser} on ${NAMES[system] ?? system}`;
}

const NAMES: Readonly<Record<string, string>> = { Macintosh: 'macOS', X11: 'Linux' };
