import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { Problem, sentence } from '../ui/Problem.tsx';
import { dateAndTime } from '../ui/times.ts';
import type { Named } from './ServicePage.tsx';
import styles from './ReleaseDetail.module.css';

/** What changed in a release against what served before it: commit, files, configuration by key, secrets by name. */
export function ReleaseDetail({ named, release }: { named: Named; release: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['release', named, release],
    queryFn: ({ signal }) =>
      api.getRelease({ project: named.project, environment: named.environment, release }, { signal }),
  });
  if (data === undefined)
    return error === null ? (
      <p className="muted" aria-busy="true">
        Looking …
      </p>
    ) : (
      <Problem error={error} retry={() => void refetch()} />
    );
  const { against, commit, dirty, sameArtifact, config, secrets, rollouts } = data;
  const keys = config.added.length + config.removed.length + config.changed.length;
  return (
    <dl className={styles['detail']}>
      <dt>Against</dt>
      <dd>
        {against === null ? (
          'nothing: it is the first'
        ) : (
          <>
            <span className="mono">{against.release}</span>
            {against.label === null ? '' : ` (${against.label})`}
          </>
        )}
      </dd>
      <dt>Commit</dt>
      <dd className="mono">
        {commit ?? 'none'}
        {dirty && ', with changes that no commit has'}
        {against !== null && against.commit !== commit && (
          <span className="muted">, before {against.commit?.slice(0, 10) ?? 'none'}</span>
        )}
        {against !== null && against.commit === commit && commit !== null && <span className="muted">, the same</span>}
      </dd>
      <dt>Files</dt>
      <dd>{against === null ? 'all are new' : sameArtifact ? 'the same, byte by byte' : 'others'}</dd>
      <dt>Configuration</dt>
      <dd>
        {against === null ? (
          'all of it is new'
        ) : keys === 0 ? (
          'the same'
        ) : (
          <ul className={styles['keys']}>
            <Keys names={config.added} word="added" mark="+" />
            <Keys names={config.removed} word="removed" mark="−" />
            <Keys names={config.changed} word="changed" mark="~" />
          </ul>
        )}
      </dd>
      {secrets.length > 0 && (
        <>
          <dt>Secrets</dt>
          <dd>
            <span className="mono">{secrets.join(', ')}</span> had another value
          </dd>
        </>
      )}
      <dt>Rollouts</dt>
      <dd>
        {rollouts.length === 0 ? (
          'none'
        ) : (
          <ul>
            {rollouts.map(({ id, kind, at, by, end, promotedAt }) => (
              <li key={id}>
                <Link to="/rollouts/$rollout" params={{ rollout: id }} className="link">
                  {sentence(`${kind} by ${by}, ${dateAndTime(at)}`).slice(0, -1)}
                </Link>
                <span className="muted">, {end ?? (promotedAt === null ? 'under way' : 'promoted')}</span>
              </li>
            ))}
          </ul>
        )}
      </dd>
    </dl>
  );
}

function Keys({ names, word, mark }: { names: readonly string[]; word: string; mark: string }) {
  return names.map((name) => (
    <li key={name}>
      <span aria-hidden="true">{mark} </span>
      <span className="mono">{name}</span>
      <span className="muted"> {word}</span>
    </li>
  ));
}
