import { type KeyboardEvent, useMemo, useState } from 'react';
import type { Document, Operation, Schema } from './document.ts';
import { curlOf } from './example.ts';
import { linesOf, type Line, typeOf } from './fields.ts';
import { Path, Words } from './Words.tsx';
import styles from './Reference.module.css';

interface Props {
  operation: Operation;
  document: Document;
  opened: boolean;
  onToggle: () => void;
  onKeyDown: (event: KeyboardEvent<HTMLButtonElement>) => void;
}

/** One operation: a line, and behind it all there is to know to ask for it. */
export function OperationCard({ operation, document, opened, onToggle, onKeyDown }: Props) {
  const { id, method, path, summary } = operation;
  // It is said once, above all of them.
  const base = document.servers[0]?.url ?? '';
  return (
    <li className={styles['operation']} id={id}>
      <h3>
        <button
          type="button"
          className={styles['line']}
          data-operation={id}
          aria-expanded={opened}
          aria-controls={`${id}-all`}
          onClick={onToggle}
          onKeyDown={onKeyDown}
        >
          <span className={`${styles['method']} ${styles[method.toLowerCase()] ?? ''}`}>{method}</span>
          <Path>{path.replace(base, '')}</Path>
          <span className={styles['summary']}>
            <Words>{summary}</Words>
          </span>
        </button>
      </h3>
      {opened && (
        <div className={styles['all']} id={`${id}-all`}>
          <Details operation={operation} document={document} />
        </div>
      )}
    </li>
  );
}

function Details({ operation, document }: { operation: Operation; document: Document }) {
  const { parameters, body, reply, replies, permission, open } = operation;
  const { schemas } = document.components;
  const problem = document.components.responses.Problem.content['application/problem+json']?.schema ?? {};
  const asked = useMemo(
    () =>
      parameters.map(({ name, in: where, required, schema, description }): Line => {
        const [line] = linesOf({ properties: { [name]: schema } }, schemas);
        const notes = [`in the ${where}`, description ?? '', line?.notes ?? ''].filter(Boolean);
        return {
          key: `${where} ${name}`,
          depth: 0,
          name,
          type: typeOf(schema, schemas),
          required,
          notes: [...new Set(notes)].join('; '),
        };
      }),
    [parameters, schemas],
  );
  return (
    <>
      <p>
        {open ? (
          'Anybody may ask.'
        ) : permission === null ? (
          'Whoever is signed in or has a token; what they may not see is left out or refused.'
        ) : (
          <>
            Needs the permission <code>{permission}</code>.
          </>
        )}{' '}
        <a className="link underlined" href={`#${operation.id}`}>
          Link to {operation.id}
        </a>
      </p>
      {asked.length > 0 && <Fields title="Parameters" lines={asked} asked />}
      {body !== null && (
        <Fields asked title="Body" note="application/json" lines={linesOf(body, schemas)} empty="An empty object." />
      )}
      <Fields
        title={replies === 'text/event-stream' ? 'Events' : 'Reply'}
        note={replies}
        lines={linesOf(reply, schemas)}
        empty={empty(reply, replies, document)}
      />
      <Fields title="When it is refused" note="application/problem+json" lines={linesOf(problem, schemas)} folded />
      <Example text={curlOf(operation, schemas, location.origin)} />
    </>
  );
}

const empty = (reply: Schema, replies: string, { components }: Document): string =>
  replies === 'application/octet-stream' ? 'A file.' : `${typeOf(reply, components.schemas)}, without fields to name.`;

interface FieldsProps {
  title: string;
  note?: string;
  lines: readonly Line[];
  empty?: string;
  folded?: boolean;
  /** Of what is sent, and not of what comes back. */
  asked?: boolean;
}

function Fields({ title, note = '', lines, empty: nothing = '', folded = false, asked = false }: FieldsProps) {
  const table = (
    <div className={styles['scroll']} tabIndex={0} role="region" aria-label={title}>
      <table className={styles['fields']}>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Type</th>
            <th scope="col">Notes</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, depth, name, type, required, notes }) => (
            <tr key={key}>
              <th scope="row" data-depth={depth}>
                {type === '' ? <em>{name}</em> : <code>{name}</code>}
                {required && asked && <span className={styles['required']}> needed</span>}
                {!required && !asked && type !== '' && <span className={styles['required']}> not always</span>}
              </th>
              <td>{type}</td>
              <td>
                <Words>{notes}</Words>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
  const heading = (
    <>
      {title} <span className="muted">{note}</span>
    </>
  );
  if (folded)
    return (
      <details className={styles['folded']}>
        <summary>{heading}</summary>
        {table}
      </details>
    );
  return (
    <section>
      <h4>{heading}</h4>
      {lines.length === 0 ? <p className="muted">{nothing}</p> : table}
    </section>
  );
}

function Example({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void =>
    void navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <section>
      <h4 className="row">
        Example
        <button type="button" className="plain link" onClick={copy}>
          Copy
        </button>
        <span role="status" className="muted">
          {copied ? 'Copied.' : ''}
        </span>
      </h4>
      <pre className={styles['example']} tabIndex={0}>
        {text}
      </pre>
    </section>
  );
}
