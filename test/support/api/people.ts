import type { Answer, Visitor, WebWorld } from '../web-world.ts';

export interface SomeGrant {
  role: string;
  project?: string;
  environment?: string;
}

export interface Somebody extends Visitor {
  readonly id: string;
  readonly login: string;
}

/** People of a world, made and asked over the API as everybody does it. */
export function peopleOf(it: WebWorld) {
  const local = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<Answer> => {
    const asked = { method, path: `/api/v1/${path}`, ...(body === undefined ? {} : { body }) };
    const reply = await it.client.reply(asked);
    const json = reply.body as Record<string, unknown>;
    return { status: reply.status, body: json, code: typeof json['code'] === 'string' ? json['code'] : null };
  };

  async function organization(name: string): Promise<string> {
    const { body } = await local('POST', 'organizations', { name });
    return (body['organization'] as { id: string }).id;
  }

  /** Invited on the machine, and signed in by the link in a browser of their own. */
  async function somebody(
    login: string,
    grants: readonly (SomeGrant | string)[],
    { of = 'default', runsServer = false } = {},
  ): Promise<Somebody> {
    const asked = { login, grants: grants.map((each) => (typeof each === 'string' ? { role: each } : each)) };
    const { body, status } = await local('POST', `organizations/${of}/people`, asked);
    if (status !== 200) throw new Error(JSON.stringify(body));
    const { user, link } = body as { user: { id: string }; link: { path: string } };
    if (runsServer) await local('PUT', `users/${user.id}/runs-server`, { runsServer });
    const visitor = it.browser();
    await signIn(visitor, link.path);
    return Object.assign(visitor, { id: user.id, login });
  }

  return { local, organization, somebody };
}

/** The state of the session that opening a link leads to; null: it lets nobody in. */
export async function signIn(visitor: Visitor, path: string): Promise<unknown> {
  const link = path.slice(path.indexOf('#link=') + 6);
  const { body, status } = await visitor.ask('POST', 'session/link', { link });
  return status === 200 ? body['state'] : null;
}
