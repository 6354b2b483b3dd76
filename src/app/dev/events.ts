/** What happens in a run of `evenkeel dev`; each has a sentence, a line of output being its own. */
export interface DevEvent {
  type:
    /** The front listens. */
    | 'open'
    | 'starting'
    | 'ready'
    /** It has not become healthy for a while. */
    | 'unhealthy'
    /** A program wrote a line. */
    | 'line'
    | 'ended'
    /** Files changed, and it starts anew. */
    | 'changed'
    | 'note'
    | 'stopping'
    | 'stopped';
  /** Null when it is about all. */
  service: string | null;
  text: string;
  /** Of a line: where it was written. */
  stream?: 'stdout' | 'stderr';
  /** Where the service, or the front, is asked. */
  url?: string;
}

export type Say = (event: DevEvent) => void;
