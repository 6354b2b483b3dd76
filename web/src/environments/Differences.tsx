import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Comparison } from '../../../src/api/contract/comparison.ts';
import { plural } from '../../../src/lib/format.ts';
import { serviceHref } from '../service/href.ts';
import table from '../service/table.module.css';
import { State } from '../ui/State.tsx';
import { type RowProps, VirtualBody } from '../ui/VirtualBody.tsx';
import styles from './Differences.module.css';

type Service = Comparison['services'][number];
type Side = Service['sides'][number];

/** Releases, configuration by key, and secrets by name, side by side. No value is told. */
export function Differences({ comparison }: { comparison: Comparison }) {
  const [all, setAll] = useState(false);
  const { environments, project } = comparison;
  const services = comparison.services.filter((each) => all || differs(each));
  const secrets = comparison.secrets?.filter(({ set }) => all || new Set(set).size > 1) ?? null;
  const same = comparison.services.length - comparison.services.filter(differs).length;
  return (
    <>
      <section className="panel" aria-label="Services side by side">
        <header>
          <h2>Services</h2>
          <span className="muted">
            {same === comparison.services.length
              ? 'nothing differs'
              : `${plural(comparison.services.length - same, 'service')} of ${comparison.services.length} ${comparison.services.length - same === 1 ? 'differs' : 'differ'}`}
          </span>
          <label className={styles['all']}>
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> Also what is the
            same
          </label>
        </header>
        {services.length === 0 ? (
          <p className={styles['none']}>{environments.join(' and ')} serve the same files, and configure them alike.</p>
        ) : (
          <div className={table['scroll']} tabIndex={0} role="region" aria-label="Table of differences">
            <table className={`${table['table']} ${styles['services']}`} aria-rowcount={services.length + 1}>
              <thead>
                <tr aria-rowindex={1}>
                  <th scope="col">Service</th>
                  {environments.map((each) => (
                    <th key={each} scope="col">
                      {each}
                    </th>
                  ))}
                  <th scope="col">What differs</th>
                </tr>
              </thead>
              <VirtualBody
                count={services.length}
                columns={environments.length + 2}
                rowHeight={60}
                keyOf={(index) => services[index]?.service ?? String(index)}
              >
                {(index, props) => {
                  const each = services[index];
                  return each === undefined ? null : (
                    <Row
                      key={each.service}
                      service={each}
                      project={project}
                      environments={environments}
                      props={props}
                    />
                  );
                }}
              </VirtualBody>
            </table>
          </div>
        )}
      </section>
      <Secrets secrets={secrets} environments={environments} some={(comparison.secrets ?? []).length > 0} />
    </>
  );
}

interface RowOf {
  service: Service;
  project: string;
  environments: readonly string[];
  props: RowProps;
}

function Row({ service, project, environments, props }: RowOf) {
  return (
    <tr {...props}>
      <th scope="row">{service.service}</th>
      {service.sides.map((side, index) => (
        <td key={environments[index]} data-name={environments[index]}>
          <Where
            side={side}
            href={serviceHref({ project, environment: environments[index] ?? '', service: service.service })}
          />
        </td>
      ))}
      <td className={styles['differs']} data-name="What differs">
        <What service={service} environments={environments} />
      </td>
    </tr>
  );
}

function Where({ side, href }: { side: Side; href: string }) {
  if (side === null) return <span className="muted">not there</span>;
  if (side.release === null) return <span className="muted">nothing serves</span>;
  return (
    <>
      <Link to={href} className="mono">
        {side.release}
      </Link>
      <span className={styles['from']}>
        {[side.label, side.commit?.slice(0, 10), side.dirty ? 'with changes' : null].filter(Boolean).join(', ')}
      </span>
    </>
  );
}

function What({ service, environments }: { service: Service; environments: readonly string[] }) {
  const { sides, sameArtifact, sameConfig, config } = service;
  const missing = environments.filter((_, index) => (sides[index]?.release ?? null) === null);
  if (missing.length > 0) return <State level="warning">{`nothing of it in ${missing.join(', ')}`}</State>;
  if (sameArtifact && sameConfig) return <State level="healthy">nothing</State>;
  return (
    <>
      <State level={sameArtifact ? 'healthy' : 'warning'}>{sameArtifact ? 'the same files' : 'other files'}</State>
      {config.map((changes, index) => {
        const { own, ofRollouts } = keysOf(changes);
        return (
          <div key={environments[index]}>
            {own.length > 0 && (
              <details className={styles['keys']} open={own.length <= 6}>
                <summary>
                  {plural(own.length, 'key')} of its configuration in {environments[index]}
                </summary>
                <ul className="mono">
                  {own.map((key) => (
                    <li key={key}>{key}</li>
                  ))}
                </ul>
              </details>
            )}
            {ofRollouts > 0 && (
              <span className={styles['from']}>
                {plural(ofRollouts, 'key')} of how {environments[index]} rolls out{' '}
                {ofRollouts === 1 ? 'differs' : 'differ'}
              </span>
            )}
          </div>
        );
      })}
    </>
  );
}

/** How careful an environment is with its rollouts is its own business: that is counted, and no difference of the service. */
function keysOf({ added, removed, changed }: Service['config'][number]): { own: string[]; ofRollouts: number } {
  const keys = [
    ...added.map((name) => ['+', name] as const),
    ...removed.map((name) => ['−', name] as const),
    ...changed.map((name) => ['~', name] as const),
  ];
  const own = keys.filter(([, name]) => !name.startsWith('rollout.'));
  return { own: own.map(([mark, name]) => `${mark} ${name}`), ofRollouts: keys.length - own.length };
}

interface SecretsOf {
  /** Null: one may not know their names everywhere. */
  secrets: NonNullable<Comparison['secrets']> | null;
  environments: readonly string[];
  /** There are some, whether or not they differ. */
  some: boolean;
}

function Secrets({ secrets, environments, some }: SecretsOf) {
  return (
    <section className="panel" aria-label="Secrets side by side">
      <header>
        <h2>Secrets</h2>
        <span className="muted">by their names; values are told nowhere</span>
      </header>
      {secrets === null ? (
        <p className={styles['none']}>Only who may read the names of secrets in all of them sees them here.</p>
      ) : secrets.length === 0 ? (
        <p className={styles['none']}>{some ? 'The same ones are set everywhere.' : 'None is set.'}</p>
      ) : (
        <div className={table['scroll']} tabIndex={0} role="region" aria-label="Table of secrets">
          <table className={table['table']} aria-rowcount={secrets.length + 1}>
            <thead>
              <tr aria-rowindex={1}>
                <th scope="col">Name</th>
                {environments.map((each) => (
                  <th key={each} scope="col">
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <VirtualBody
              count={secrets.length}
              columns={environments.length + 1}
              rowHeight={35}
              keyOf={(index) => secrets[index]?.name ?? String(index)}
            >
              {(index, props) => {
                const each = secrets[index];
                return each === undefined ? null : (
                  <tr key={each.name} {...props}>
                    <th scope="row" className="mono">
                      {each.name}
                    </th>
                    {each.set.map((isSet, side) => (
                      <td key={environments[side]}>
                        <State level={isSet ? 'healthy' : 'warning'}>{isSet ? 'set' : 'not set'}</State>
                      </td>
                    ))}
                  </tr>
                );
              }}
            </VirtualBody>
          </table>
        </div>
      )}
    </section>
  );
}

const differs = ({ sameArtifact, config }: Service): boolean =>
  !sameArtifact || config.some((changes) => keysOf(changes).own.length > 0);
