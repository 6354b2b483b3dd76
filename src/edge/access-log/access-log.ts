import type { EdgeAccessLog } from '../../domain/traffic/policy.ts';
import type { LineWriter } from './line-writer.ts';

/** The access log of one environment, with what is to be written there. */
export interface AccessLog {
  readonly settings: EdgeAccessLog;
  readonly writer: LineWriter;
}
