/** One line of output of an instance or a job. */
export interface LogEntry {
  /** When it was read or written, if that is known. */
  at: number | null;
  line: string;
}

export interface LogFile {
  /** Absolute. */
  file: string;
  service: string;
  release: string | null;
  instance: string | null;
  /** Of a release of which nothing runs any more in the cloud: its service's name there, whose log still tells. */
  cloudName?: string;
}

export interface LogQuery {
  files: LogFile[];
  /** The last so many lines of each before anything else. */
  lines: number;
  follow: boolean;
  signal: AbortSignal;
  /** With `follow`: called whenever all files were looked at and nothing new was found. */
  caughtUp?: () => void;
}

/** Reads what instances and jobs wrote. Memory stays bounded however long a line or a file is. */
export interface LogReader {
  /** Lines as they are found; with `follow` until the signal fires, files that appear later are asked for again. */
  read(query: LogQuery): AsyncIterable<LogEntry & Omit<LogFile, 'file'>>;
  /** Keeps each file below `maxBytes` with `keep` older pieces beside it; to be called every second or so. */
  maintain(files: string[]): Promise<void>;
}
