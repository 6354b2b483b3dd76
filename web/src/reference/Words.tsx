import { Fragment } from 'react';

/** A text of the document, in which what stands between backticks is code. */
export function Words({ children }: { children: string }) {
  return children.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}

/** A path, which may go on in the next line behind each of its parts. */
export function Path({ children }: { children: string }) {
  const parts = children.split(/(?<=\/)/);
  return (
    <code>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </code>
  );
}
