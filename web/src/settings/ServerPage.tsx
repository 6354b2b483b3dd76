import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ServerInfo } from '../../../src/api/contract/server.ts';
import { plural } from '../../../src/lib/format.ts';
import { api } from '../api/client.ts';
import { useNow } from '../ui/clock.ts';
import { Command } from '../ui/Empty.tsx';
import { State } from '../ui/State.tsx';
import table from '../service/table.module.css';
import { ago, fullTime } from '../ui/times.ts';
import { useTitle } from '../ui/title.ts';
import { Loaded } from './Loaded.tsx';
import styles from './Settings.module.css';

/** What runs evenkeel itself. */
export function ServerPage() {
  useTitle('Server');
  const server = useQuery({ queryKey: ['server'], queryFn: ({ signal }) => api.getServer({}, { signal }) });
  return (
    <>
      <h1>Server</h1>
      <Loaded query={server}>{(data) => <Server server={data} />}</Loaded>
    </>
  );
}

function Server({ server }: { server: ServerInfo }) {
  const { version, pid, startedAt, home, edge, edgeWorkers, standing, dashboard } = server;
  const now = useNow();
  return (
    <>
      <section className="panel" aria-label="Processes">
        <header>
          <h2>Processes</h2>
        </header>
        <div className={styles['body']}>
          <dl className={styles['facts']}>
            <dt>Version</dt>
            <dd>{version}</dd>
            <dt>Controller</dt>
            <dd title={fullTime(startedAt)}>
              pid {pid}, started {ago(startedAt, now)}
            </dd>
            <dt>Edge</dt>
            <dd>
              {edge ? (
                <State level="healthy">{`answers, ${plural(edgeWorkers ?? 1, 'process', 'processes')}`}</State>
              ) : (
                <State level="critical">does not answer</State>
              )}
            </dd>
            <dt>Dashboard</dt>
            <dd>{dashboard?.url ?? location.origin}</dd>
            <dt>Home</dt>
            <dd className="mono">{home}</dd>
            {standing !== undefined && (
              <>
                <dt>Store</dt>
                <dd>{standing.store === 'file' ? 'a file of this machine' : 'Postgres'}</dd>
              </>
            )}
          </dl>
        </div>
      </section>
      {standing !== undefined && standing.controllers.length > 0 && (
        <section className="panel" aria-label="Controllers">
          <header>
            <h2>Controllers</h2>
            <span className="muted">One acts; the others stand by.</span>
          </header>
          <div className={table['scroll']}>
            <table className={table['table']}>
              <thead>
                <tr>
                  <th scope="col">Process</th>
                  <th scope="col" className={table['wide']}>
                    Role
                  </th>
                </tr>
              </thead>
              <tbody>
                {standing.controllers.map((each) => (
                  <tr key={each.pid}>
                    <th scope="row">pid {each.pid}</th>
                    <td className={table['wide']}>{each.role}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      <section className="panel" aria-label="Thresholds and retention">
        <header>
          <h2>Thresholds and retention</h2>
        </header>
        <div className={styles['body']}>
          <p>
            From where on something is a warning is written in <Command>evenkeel.yaml</Command>, and shown with the{' '}
            <Link to="/objectives" className="link underlined">
              objectives
            </Link>
            .
          </p>
          <p>
            The audit is kept for 400 days, or for as many as <Command>EVENKEEL_AUDIT_DAYS</Command> says where the
            server is started.
          </p>
        </div>
      </section>
    </>
  );
}
