import { allUsers, removeUser, setDisabled, setRunsServer } from '../../engine/access/users.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { userView } from './people.ts';

type Mine = 'listUsers' | 'setRunsServer' | 'setDisabled' | 'removeUser';

/** For whoever runs the server: users, whatever organizations they are in. */
export function userHandlers({ access }: ApiDeps): Pick<Handlers, Mine> {
  return {
    async listUsers() {
      const users = await allUsers(await access());
      return { users: users.map((user) => ({ ...userView(user), organizations: [...user.organizations] })) };
    },
    setRunsServer: async ({ user, runsServer }, { who }) => ({
      user: userView(await setRunsServer(await access(), who, user, runsServer)),
    }),
    setDisabled: async ({ user, disabled }, { who }) => ({
      user: userView(await setDisabled(await access(), who, user, disabled)),
    }),
    async removeUser({ user }, { who }) {
      await removeUser(await access(), who, user);
      return {};
    },
  };
}
