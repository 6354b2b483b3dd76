import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import type { Comparison } from '../../../src/api/contract/comparison.ts';
import { plural } from '../../../src/lib/format.ts';
import { api } from '../api/client.ts';
import { useMay } from '../api/may.ts';
import { asProblem } from '../api/problem-error.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import { CommentDialog } from '../ui/CommentDialog.tsx';
import { Command } from '../ui/Empty.tsx';
import { sentence } from '../ui/Problem.tsx';
import styles from './Promotion.module.css';

interface Props {
  comparison: Comparison;
  from: string;
  to: string;
}

/** Rolls out in one environment what serves in the other, after a look at what that is. */
export function Promotion({ comparison, from, to }: Props) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [acceptBuild, setAcceptBuild] = useState(false);
  const { project } = comparison;
  const { mutate, reset, data, error, isPending } = useMutation({
    mutationFn: (comment: string | null) =>
      api.promoteReleases({ project, environment: to, from, comment, acceptBuild }),
    onSuccess: ({ rollout }) => {
      setAsking(false);
      if (rollout !== null) void navigate({ to: '/rollouts/$rollout', params: { rollout } });
    },
  });
  const ask = useCallback((): void => {
    reset();
    setAcceptBuild(false);
    setAsking(true);
  }, [reset]);
  const brings = comparison.services.filter(
    ({ sides, sameArtifact }) => (sides[0]?.release ?? null) !== null && sides[1] !== null && !sameArtifact,
  );
  const left = comparison.services.filter(({ sides }) => (sides[0]?.release ?? null) !== null && sides[1] === null);
  const { may, signedIn } = useMay();
  const deploys = may('environment:deploy', { project, environment: to });
  const differs = brings.length > 0;
  const can = differs && deploys;
  const entries = useMemo<Entry[]>(
    () =>
      can
        ? [{ id: 'promote', kind: 'action', name: `Promote ${from} to ${to}`, hint: `action, ${project}`, run: ask }]
        : [],
    [can, from, to, project, ask],
  );
  useOffer(entries);
  const moves = brings.map(
    ({ service, sides }) => `${service} (${sides[1]?.release ?? 'nothing'} → the files of ${sides[0]?.release ?? ''})`,
  );
  return (
    <section className={`panel ${styles['promotion']}`} aria-label={`Promote ${from} to ${to}`}>
      <div>
        <p>
          {differs
            ? `${to} would get ${plural(brings.length, 'service')} of ${from}: ${brings.map(({ service }) => service).join(', ')}.`
            : `${to} serves the same files as ${from}.`}
        </p>
        <p className="muted">
          The same files, built once, with the configuration that {to} has. What is new in the configuration comes with{' '}
          <Command>{`evenkeel deploy --env ${to}`}</Command>
          {left.length > 0 &&
            `, and so does what ${to} does not have yet: ${left.map(({ service }) => service).join(', ')}`}
          .
        </p>
        <p role="status" className="muted">
          {data !== undefined && data.rollout === null ? sentence(data.message) : ''}
        </p>
      </div>
      {signedIn && differs && !deploys && <p className="muted">None of your roles deploys to {to}.</p>}
      {can && (
        <Button size="sm" onClick={ask}>
          Promote {from} to {to}
        </Button>
      )}
      <CommentDialog
        title={asking ? `Promote ${from} to ${to}?` : null}
        means={`A rollout in ${to} brings ${moves.join(', ')}, with the canary, the approvals and the smoke tests of ${to}.`}
        verb="Promote"
        danger={false}
        busy={isPending}
        error={error}
        onCancel={() => setAsking(false)}
        onConfirm={(comment) => mutate(comment)}
      >
        {error !== null && asProblem(error).code === 'built-for-another' && (
          <label className={styles['accept']}>
            <input type="checkbox" checked={acceptBuild} onChange={(event) => setAcceptBuild(event.target.checked)} />{' '}
            The build writes none of these values into its files.
          </label>
        )}
      </CommentDialog>
    </section>
  );
}
