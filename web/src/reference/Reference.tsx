import { useQuery } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { type Document, found, groupsOf } from './document.ts';
import { OperationCard } from './OperationCard.tsx';
import { Words } from './Words.tsx';
import styles from './Reference.module.css';

async function load(): Promise<Document> {
  const reply = await fetch('/openapi.json', { headers: { accept: 'application/json' } });
  if (!reply.ok) throw new Error(`the document could not be read: ${reply.status}`);
  return (await reply.json()) as Document;
}

/** Every operation of the API, as the document of this very server describes it. */
export function Reference() {
  useTitle('API');
  const { data, error, refetch } = useQuery({ queryKey: ['openapi'], queryFn: load, staleTime: Infinity });
  if (data !== undefined) return <Operations document={data} />;
  return error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />;
}

function Operations({ document }: { document: Document }) {
  const hash = useRouterState({ select: ({ location }) => location.hash });
  const [text, setText] = useState('');
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const search = useRef<HTMLInputElement>(null);
  const all = useMemo(() => groupsOf(document), [document]);
  const words = useDeferredValue(text);
  const groups = useMemo(() => found(all, words), [all, words]);
  const count = groups.reduce((sum, { operations }) => sum + operations.length, 0);

  // A link leads to an operation, and shows it.
  useEffect(() => {
    const target = hash === '' ? null : window.document.querySelector(`#${CSS.escape(hash)}`);
    if (target === null) return;
    setOpened((before) => new Set(before).add(hash));
    target.scrollIntoView();
    target.querySelector<HTMLElement>('button, h2')?.focus({ preventScroll: true });
  }, [hash]);

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.current?.focus();
    };
    window.document.addEventListener('keydown', onKey);
    return () => window.document.removeEventListener('keydown', onKey);
  }, []);

  const toggle = (id: string): void =>
    setOpened((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });

  /** Up and down go from one to the next, and from the first back to what is looked for. */
  const onKey = (event: KeyboardEvent<HTMLElement>): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const lines = [...window.document.querySelectorAll<HTMLElement>('[data-operation]')];
    const next = lines.indexOf(event.currentTarget) + step;
    if (next < 0) search.current?.focus();
    else lines[next]?.focus();
  };

  return (
    <div className="stack">
      <div className={styles['head']}>
        <h1>API</h1>
        <p className="muted">
          <Words>{document.info.description}</Words> Version {document.info.version}.{' '}
          <a className="link underlined" href="/openapi.json">
            OpenAPI document
          </a>
        </p>
        <p className="muted">
          Paths begin with <code>{document.servers[0]?.url}</code>. Programs ask with a token:{' '}
          <code>Authorization: Bearer TOKEN</code>, made in the settings or with <code>evenkeel tokens create</code>.
          With an <code>Idempotency-Key</code> a call that changes something is carried out once, however often it is
          repeated.
        </p>
        <input
          ref={search}
          type="search"
          className={styles['search']}
          aria-label="Find an operation"
          placeholder="Find: deploy, rollout:steer, grants …   ( / )"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKey}
        />
        <p role="status" className="hidden">
          {count} operations
        </p>
      </div>
      <div className={styles['columns']}>
        <nav className={styles['groups']} aria-label="Groups">
          {groups.map(({ name, operations }) => (
            <a key={name} href={`#${anchorOf(name)}`}>
              {name} <span className="muted">{operations.length}</span>
            </a>
          ))}
        </nav>
        <div className="stack">
          {groups.length === 0 && (
            <div className="panel">
              <Empty title="No operation fits">
                Look for a word of its path, its summary, its fields or its permission.
              </Empty>
            </div>
          )}
          {groups.map(({ name, summary, operations }) => (
            <section key={name} className="panel" id={anchorOf(name)} aria-labelledby={`${anchorOf(name)}-title`}>
              <header>
                <h2 id={`${anchorOf(name)}-title`} tabIndex={-1}>
                  {name}
                </h2>
                <span className="muted">{summary}</span>
              </header>
              <ul>
                {operations.map((operation) => (
                  <OperationCard
                    key={operation.id}
                    operation={operation}
                    document={document}
                    opened={opened.has(operation.id)}
                    onToggle={() => toggle(operation.id)}
                    onKeyDown={onKey}
                  />
                ))}
              </ul>
            </section>
          ))}
        </div>
      </div>
    </div>
  );
}

const anchorOf = (group: string): string => `group-${group.toLowerCase().replaceAll(/\W+/g, '-')}`;
