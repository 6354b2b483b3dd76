import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Overview } from '../../../src/api/contract/overview.ts';
import { plural } from '../../../src/lib/format.ts';
import { serviceHref } from '../service/href.ts';
import { Mark } from '../ui/State.tsx';
import styles from './Warnings.module.css';

type Warning = Overview['warnings'][number];

/** So many are read; the rest is asked for. */
const FIRST = 8;

/** What somebody ought to know, in words, the worst first. Each leads to where one looks or acts. */
export function Warnings({ warnings }: { warnings: readonly Warning[] }) {
  const [all, setAll] = useState(false);
  if (warnings.length === 0) return null;
  const first = warnings.slice(0, FIRST);
  const rest = warnings.slice(FIRST);
  return (
    <section className="panel" aria-label="Warnings">
      <header>
        <h2>{plural(warnings.length, 'warning')}</h2>
      </header>
      <List warnings={first} />
      {rest.length > 0 && (
        <details className={styles['rest']} onToggle={(event) => setAll(event.currentTarget.open)}>
          <summary>{plural(rest.length, 'more warning')}</summary>
          {all && <List warnings={rest} />}
        </details>
      )}
    </section>
  );
}

function List({ warnings }: { warnings: readonly Warning[] }) {
  return (
    <ul className={styles['warnings']}>
      {warnings.map((each) => {
        const href = hrefOf(each);
        return (
          <li
            key={JSON.stringify([each.project, each.environment, each.service, each.rollout, each.aspect, each.text])}
          >
            <Mark level={each.state} />
            <span className="hidden">{each.state}: </span>
            <span>{href === null ? each.text : <Link to={href}>{each.text}</Link>}</span>
            {each.environment !== null && each.service !== null && (
              <span className={styles['place']}>
                {each.project} / {each.environment}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function hrefOf({ project, environment, service, rollout }: Warning): string | null {
  if (rollout !== null) return `/rollouts/${encodeURIComponent(rollout)}`;
  return project === null || environment === null || service === null
    ? null
    : serviceHref({ project, environment, service });
}
