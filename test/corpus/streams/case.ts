import type { Fields } from '../../support/corpus/frames.ts';

/** What is sent on a connection of HTTP/2, piece by piece. In texts `{}` stands for the mark of the case. */
export type Piece =
  /** Fields on a stream, 1 unless said otherwise; cut into frames of `cut` bytes. */
  | { readonly fields: Fields; readonly ends: boolean; readonly stream?: number; readonly cut?: number }
  | { readonly data: string; readonly ends: boolean; readonly stream?: number }
  /** Any frame: type, flags, stream, payload. */
  | { readonly frame: readonly [number, number, number, string] };

export interface StreamCase {
  readonly name: string;
  readonly send: readonly Piece[];
  /** Statuses, `reset CODE`, `goaway CODE`. */
  readonly answers: readonly string[];
  /** What reaches the instance through our edge: `METHOD target body`, and `...` at the end of what broke off. */
  readonly reaches: readonly string[];
  readonly perhaps?: true;
  readonly watch?: readonly string[];
  readonly differs?: string;
}

const PSEUDO: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', '/{}/a'],
];

/** A request without a body: with some of the usual pseudo fields replaced (null: left out), and more fields. */
export function asking(more: Fields = [], changes: Readonly<Record<string, string | null>> = {}): Piece {
  return { fields: [...pseudo(changes), ...more], ends: true };
}

/** A POST with a body, in one piece of data. */
export function posting(data: string, more: Fields = []): readonly Piece[] {
  return [
    { fields: [...pseudo({ ':method': 'POST' }), ...more], ends: false },
    { data, ends: true },
  ];
}

const pseudo = (changes: Readonly<Record<string, string | null>>): Fields =>
  PSEUDO.flatMap(([name, value]) => {
    const changed = changes[name] === undefined ? value : changes[name];
    return changed === null ? [] : [[name, changed] as const];
  });

/** What a smuggler wants to be read as a request of its own. */
export const FOLLOWER = 'GET /{}/follower HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** Node takes such a field for none and says nothing; what reaches is a request that anybody may send. */
export const LEFT_OUT = 'nghttp2 leaves out what is no field, and the others refuse the request';
