import { useQuery } from '@tanstack/react-query';
import type { SecretView } from '../../../src/api/contract/secrets.ts';
import { api } from '../api/client.ts';
import { useMay } from '../api/may.ts';
import { useWho } from '../api/session.ts';
import { useNow } from '../ui/clock.ts';
import { Command, Empty } from '../ui/Empty.tsx';
import { State } from '../ui/State.tsx';
import table from '../service/table.module.css';
import { ago, fullTime } from '../ui/times.ts';
import { useTitle } from '../ui/title.ts';
import { Loaded } from './Loaded.tsx';

/** Names and ages of secrets, of each environment. Values leave the controller for nobody. */
export function SecretsPage() {
  useTitle('Secrets');
  const { may } = useMay();
  const places = (useWho()?.environments ?? []).filter((place) => may('secrets:read', place));
  return (
    <>
      <div>
        <h1>Secrets</h1>
        <p className="muted">
          Names, ages, and who uses them. Nobody reads values here; <Command>evenkeel secrets set</Command> changes
          them.
        </p>
      </div>
      {places.length === 0 && (
        <div className="panel">
          <Empty title="There is no environment whose secrets you may see">
            They appear with the first deploy of a project.
          </Empty>
        </div>
      )}
      {places.map(({ project, environment }) => (
        <Secrets key={`${project}/${environment}`} project={project} environment={environment} />
      ))}
    </>
  );
}

function Secrets({ project, environment }: { project: string; environment: string }) {
  const secrets = useQuery({
    queryKey: ['secrets', { project, environment }],
    queryFn: ({ signal }) => api.listSecrets({ project, environment }, { signal }),
  });
  return (
    <section className="panel" aria-label={`Secrets in ${environment} of ${project}`}>
      <header>
        <h2>
          {project} / {environment}
        </h2>
      </header>
      <Loaded query={secrets}>
        {(data) =>
          data.secrets.length === 0 ? (
            <Empty title="No secrets">
              <Command>evenkeel secrets set NAME</Command> stores one.
            </Empty>
          ) : (
            <Table secrets={data.secrets} label={`Secrets of ${project} / ${environment}`} />
          )
        }
      </Loaded>
    </section>
  );
}

function Table({ secrets, label }: { secrets: readonly SecretView[]; label: string }) {
  const now = useNow();
  return (
    <div className={table['scroll']} tabIndex={0} role="region" aria-label={label}>
      <table className={table['table']}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Set</th>
            <th scope="col">By</th>
            <th scope="col" className={table['wide']}>
              Used by
            </th>
          </tr>
        </thead>
        <tbody>
          {secrets.map(({ name, updatedAt, setBy, usedBy, behind }) => (
            <tr key={name}>
              <th scope="row" className="mono">
                {name}
              </th>
              <td title={fullTime(updatedAt)}>{ago(updatedAt, now)}</td>
              <td>{setBy ?? 'nobody knows'}</td>
              <td className={table['wide']}>
                {usedBy.length === 0 ? <span className="muted">nobody</span> : usedBy.join(', ')}{' '}
                {behind.length > 0 && (
                  <State level="warning">{`${behind.join(', ')} with a former value, until the next deploy`}</State>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
