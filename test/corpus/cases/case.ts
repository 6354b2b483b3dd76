/** Bytes that a client may send, and what becomes of them. */
export interface Case {
  readonly name: string;
  /** Latin1 text; `{}` stands for the mark by which the case is found again. Several: with a pause between them. */
  readonly send: string | readonly string[];
  /** Each piece waits for an answer to the one before. */
  readonly waits?: true;
  /** What our edge answers: the statuses of all replies. */
  readonly answers: readonly number[];
  /** What reaches the instance through our edge: `METHOD target body`, and `...` at the end of what broke off. */
  readonly reaches: readonly string[];
  /** What comes behind may end it before it is sent. */
  readonly perhaps?: true;
  /** Fields whose values must be those that another proxy would pass on, or be left out. */
  readonly watch?: readonly string[];
  /** Why more of it reaches than through either of the others, or something else. */
  readonly differs?: string;
}

const HOST = 'Host: a.example\r\n';

/** What a smuggler wants to be read as a request of its own. */
export const FOLLOWER = `GET /{}/follower HTTP/1.1\r\n${HOST}\r\n`;

/** A request with some fields (each line with its end) and a body. */
export const post = (fields: string, body = ''): string => `POST /{}/a HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
export const get = (fields = ''): string => `GET /{}/a HTTP/1.1\r\n${HOST}${fields}\r\n`;
export const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
