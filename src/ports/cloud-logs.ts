/** One entry of the provider's log. */
export interface CloudLogEntry {
  /** Wall time, ms. */
  at: number;
  /** The service's or job's name in the cloud. */
  service: string;
  revision: string | null;
  /** `DEFAULT`, `INFO`, `WARNING`, `ERROR`, … */
  severity: string;
  /** One line or more. */
  text: string;
}

export interface CloudLogQuery {
  /** Names in the cloud of services and jobs. */
  names: readonly string[];
  /** Not older; wall time, ms. */
  since: number;
  /** The last so many before anything else. */
  lines: number;
  /** Goes on until the signal fires. */
  follow: boolean;
  signal: AbortSignal;
  /** Only what programs wrote themselves, nothing that the provider says about them. */
  programsOnly?: boolean;
  /** With `follow`: called whenever it was looked and all that was found has been taken. */
  caughtUp?: () => void;
}

export interface CloudLogs {
  /** Oldest first. */
  read(query: CloudLogQuery): AsyncIterable<CloudLogEntry>;
}
