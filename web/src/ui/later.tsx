import { type ComponentType, useEffect, useState } from 'react';
import { useConnection } from '../api/connection.ts';
import styles from './later.module.css';

/**
 * A part of a page that comes in a file of its own, after what stands around it. A file that does not come (the controller
 * is away just then) takes nothing else along: it is asked for again when the controller is back.
 *
 * @param height of its place until it is there, px
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, height: number): ComponentType<P> {
  let known: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [Part, setPart] = useState(() => known);
    const [failed, setFailed] = useState(false);
    const { state } = useConnection();
    useEffect(() => {
      if (Part !== null) return undefined;
      let gone = false;
      load().then(
        (part) => {
          known = part;
          if (!gone) setPart(() => part);
        },
        () => {
          if (!gone) setFailed(true);
        },
      );
      return () => {
        gone = true;
      };
    }, [Part, state]);
    if (Part !== null) return <Part {...props} />;
    return (
      <div className={`panel ${styles['place']}`} style={{ minHeight: height }} aria-busy={!failed}>
        {failed && (
          <p className="muted">This part could not be loaded. It is asked for again when the controller answers.</p>
        )}
      </div>
    );
  };
}
