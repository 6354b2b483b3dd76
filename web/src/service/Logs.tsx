import { useLocation } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { LogLine } from '../../../src/api/contract/logs.ts';
import { api } from '../api/client.ts';
import { resumed } from '../api/resumed.ts';
import { Problem } from '../ui/Problem.tsx';
import { type Line, LogView } from '../ui/LogView.tsx';
import type { Named } from './ServicePage.tsx';
import styles from './Logs.module.css';

const KEPT_LINES = 10_000;
const DRAW_EVERY_MS = 100;

/** What its instances write, as they write it; `grep` is a regular expression, looked for by the controller. */
export function Logs({ named }: { named: Named }) {
  const [follow, setFollow] = useState(true);
  const [typed, setTyped] = useState('');
  const [grep, setGrep] = useState('');
  const { lines, error } = useLines(named, grep, follow);
  const here = useRef<HTMLElement>(null);
  const { hash } = useLocation();
  // An address may lead here, to a page whose curves come later.
  useEffect(() => {
    if (hash === 'logs') here.current?.focus();
  }, [hash]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setGrep(typed.trim());
  };
  return (
    <section className="panel" aria-label="Logs" id="logs" ref={here} tabIndex={-1}>
      <header>
        <h2>Logs</h2>
        <form className={styles['form']} onSubmit={submit} role="search">
          <input
            className={styles['grep']}
            type="search"
            aria-label="Only lines with (a regular expression)"
            placeholder="Only lines with … (Enter)"
            value={typed}
            maxLength={1000}
            onChange={(event) => {
              setTyped(event.target.value);
              if (event.target.value === '') setGrep('');
            }}
          />
        </form>
        <label className={styles['follow']}>
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /> Follow
        </label>
      </header>
      {error !== null ? (
        <Problem error={error} />
      ) : lines.length === 0 ? (
        <p className={styles['none']}>{grep === '' ? 'Nothing has been written yet.' : 'No line has it.'}</p>
      ) : (
        <LogView lines={lines} label={`Logs of ${named.service}`} height={380} />
      )}
    </section>
  );
}

function useLines(named: Named, grep: string, follow: boolean): { lines: readonly Line[]; error: unknown } {
  const { project, environment, service } = named;
  const [seen, setSeen] = useState<{ lines: readonly Line[]; error: unknown }>({ lines: [], error: null });
  useEffect(() => {
    const gone = new AbortController();
    let lines: Line[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const draw = (): void => {
      timer = null;
      lines = lines.slice(-KEPT_LINES);
      setSeen({ lines, error: null });
    };
    const later = (): void => {
      timer ??= setTimeout(draw, DRAW_EVERY_MS);
    };
    setSeen({ lines: [], error: null });
    void resumed<LogLine>({
      open: (options) => {
        // The last lines are told again.
        lines = [];
        const query = { project, environment, service, follow, lines: follow ? 500 : 5_000 };
        return api.readLogs(grep === '' ? query : { ...query, grep }, options);
      },
      onEvent: ({ at, instance, release, line }) => {
        lines.push({ at, source: short(instance, service) ?? release, text: line });
        later();
      },
      letsGo: true,
      over: () => !follow,
      signal: gone.signal,
    }).catch((error: unknown) => setSeen({ lines: [], error }));
    return () => {
      gone.abort();
      if (timer !== null) clearTimeout(timer);
    };
  }, [project, environment, service, grep, follow]);
  return seen;
}

/** `@42.0.1` of `shop.production.api@42.0.1`: the rest is what the page is about. */
const short = (instance: string | null, service: string): string | null =>
  instance === null ? null : instance.slice(Math.max(0, instance.lastIndexOf(`${service}@`) + service.length));
