import { useMemo, useState } from 'react';
import { plural } from '../../../src/lib/format.ts';
import { LogView } from '../ui/LogView.tsx';
import styles from './Output.module.css';
import type { OutputLine } from './use-rollout.ts';

const KINDS: Readonly<Record<string, string>> = {
  build: 'Build',
  migrate: 'Migration',
  smoke: 'Smoke',
  check: 'Check',
  contract: 'Contract',
};

/** What build, migration, smoke, check and contract wrote, each by itself. */
export function Output({ rollout, output }: { rollout: string; output: readonly OutputLine[] }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const kinds = useMemo(() => [...new Set(output.map(({ job }) => kindOf(job, rollout)))], [output, rollout]);
  const kind = chosen ?? kinds.at(-1);
  const lines = useMemo(() => {
    const mine = output.filter(({ job }) => kindOf(job, rollout) === kind);
    const several = new Set(mine.map(({ service }) => service)).size > 1;
    return mine.map(({ line, service }) => ({ at: null, source: several ? service : null, text: line }));
  }, [output, kind, rollout]);
  if (kind === undefined) return null;
  return (
    <section className="panel" aria-label="Output">
      <header>
        <h2>Output</h2>
        <div className={styles['kinds']} role="group" aria-label="Of which job">
          {kinds.map((each) => (
            <button key={each} type="button" aria-pressed={each === kind} onClick={() => setChosen(each)}>
              {KINDS[each] ?? each}
            </button>
          ))}
        </div>
        <span className={`muted figure ${styles['count']}`}>{plural(lines.length, 'line')}</span>
      </header>
      <LogView lines={lines} label={`Output of ${KINDS[kind] ?? kind}`} />
    </section>
  );
}

/** Jobs of a rollout are called `ROLLOUT.KIND.SERVICE`. */
const kindOf = (job: string, rollout: string): string =>
  job.startsWith(`${rollout}.`) ? (job.slice(rollout.length + 1).split('.')[0] ?? job) : job;
