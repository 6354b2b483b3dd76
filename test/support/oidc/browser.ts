import { expect } from 'vitest';

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Cookies by host, and redirects as a person's browser follows them. */
export class Browser {
  readonly #jar = new Map<string, Map<string, string>>();
  /** Every address that it was sent to. */
  readonly visited: string[] = [];

  cookie(url: string, name: string): string | undefined {
    return this.#of(url).get(name);
  }

  /** As they are sent. */
  cookies(url: string): string {
    return [...this.#of(url)].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  setCookie(url: string, name: string, value: string): void {
    this.#of(url).set(name, value);
  }

  /** `until`: an address with this in it is not asked for but answered as it stands. */
  async go(url: string, { form, until }: { form?: Record<string, string>; until?: string } = {}): Promise<Page> {
    let at = url;
    let body = form === undefined ? undefined : new URLSearchParams(form);
    for (let hops = 0; hops < 12; hops++) {
      this.visited.push(at);
      const reply = await fetch(at, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { cookie: this.cookies(at) },
        ...(body === undefined ? {} : { body }),
      });
      for (const line of reply.headers.getSetCookie()) this.#keep(at, line);
      const next = reply.headers.get('location');
      const text = await reply.text();
      if (next === null || reply.status < 300 || reply.status > 399)
        return { url: at, status: reply.status, text, headers: reply.headers };
      at = new URL(next, at).href;
      body = undefined;
      if (until !== undefined && at.includes(until)) return { url: at, status: 0, text: '', headers: reply.headers };
    }
    throw new Error(`too many redirects: ${this.visited.join('\n')}`);
  }

  /** From a page of the provider on: gives the name, consents, and is sent back; stops at `until`. */
  async signInAtProvider(page: Page, login: string, until?: string): Promise<Page> {
    let at = page;
    for (const form of [{ prompt: 'login', login, password: 'any' }, { prompt: 'consent' }]) {
      const action = /<form[^>]* action="([^"]+)"/.exec(at.text)?.[1];
      expect(action, at.text).toBeDefined();
      at = await this.go(new URL(action ?? '', at.url).href, { form, ...(until === undefined ? {} : { until }) });
    }
    return at;
  }

  #of(url: string): Map<string, string> {
    const { host } = new URL(url);
    const own = this.#jar.get(host) ?? new Map<string, string>();
    this.#jar.set(host, own);
    return own;
  }

  #keep(url: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const gone = attributes.some((each) => /^max-age=0$/i.test(each) || /^expires=.*1970/i.test(each));
    if (gone) this.#of(url).delete(name);
    else this.#of(url).set(name, pair.slice(name.length + 1));
  }
}
