/** Which request belongs to which, as W3C Trace Context has it (`traceparent`). */

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
const LONGEST = 512;

/**
 * The trace id of a `traceparent`, or null when it is none: then `tracestate` means nothing either. Later versions may
 * say more after a dash; version `ff` and ids of zeros do not exist.
 */
export function traceIdOf(traceparent: string | undefined): string | null {
  if (traceparent === undefined || traceparent.length > LONGEST) return null;
  const [, version, trace = '', span = '', more] = PARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  return /^0+$/.test(trace) || /^0+$/.test(span) ? null : trace;
}

/** A new one. Whoever reads it is asked to record: they would have decided for themselves, had nobody said anything. */
export const traceparent = (trace: string, span: string): string => `00-${trace}-${span}-01`;
