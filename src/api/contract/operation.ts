import { z } from 'zod';
import type { Permission } from '../../domain/access/permissions.ts';

/**
 * One thing that can be asked of the API. Its method and its path are in paths.ts: clients need those, and load no schema.
 *
 * `input` is everything that is asked, as one object. What the path names comes from the path; the rest comes from the
 * query for GET and DELETE, and from a JSON body otherwise.
 */
export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> {
  /** A line of the reference. */
  readonly summary: string;
  /** What is needed for it; null: nothing but to be known, and the handler looks at what it is about. */
  readonly permission: Permission | null;
  /** A list of what may be of many: the permission is looked at for each, and what one may not see is left out. */
  readonly perItem?: true;
  /** Asked by anybody, known or not. */
  readonly open?: true;
  /** Its reply holds what is shown once: it is kept nowhere, not even for whoever asks again with the same key. */
  readonly shownOnce?: true;
  readonly input: I;
  /** Of a stream: the data of one event. */
  readonly reply: O;
}

/** A reply that goes on: server-sent events, which a client that was cut off resumes by `Last-Event-ID`. */
export interface StreamOperation<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodType = z.ZodType,
> extends Operation<I, O> {
  readonly stream: true;
}

/** A reply that is a file, sent as it is made. */
export interface DownloadOperation<I extends z.ZodObject = z.ZodObject> extends Operation<I, z.ZodString> {
  readonly download: true;
}

export const operation = <I extends z.ZodObject, O extends z.ZodType>(definition: Operation<I, O>): Operation<I, O> =>
  definition;

export const streamOperation = <I extends z.ZodObject, O extends z.ZodType>(
  definition: Operation<I, O>,
): StreamOperation<I, O> => ({ ...definition, stream: true });

export const downloadOperation = <I extends z.ZodObject>(
  definition: Omit<Operation<I>, 'reply'>,
): DownloadOperation<I> => ({ ...definition, reply: z.string(), download: true });
