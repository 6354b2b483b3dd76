import { request } from 'node:http';

export interface Answer {
  /** 0: no answer. */
  status: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
}

/** One visitor with a browser's memory for cookies; every request over a connection of its own. */
export class Visitor {
  readonly #port: number;
  #cookie: string | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await ask(this.#port, path, {
      ...headers,
      ...(this.#cookie === null ? {} : { cookie: this.#cookie }),
    });
    const [set] = [answer.headers['set-cookie'] ?? []].flat();
    if (set !== undefined) this.#cookie = set.split(';')[0] ?? null;
    return answer;
  }
}

/** One request by a stranger. Never throws: no answer is status 0. */
export function ask(port: number, path = '/', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const nothing: Answer = { status: 0, body: '', headers: {} };
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false, timeout: 20_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', () => resolve(nothing));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    asked.on('error', () => resolve(nothing));
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}
