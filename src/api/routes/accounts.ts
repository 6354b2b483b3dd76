import { unlinkAccount } from '../../engine/access/accounts.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { sessionIn } from './session.ts';

export function accountHandlers(deps: ApiDeps): Pick<Handlers, 'listAccounts' | 'unlinkAccount'> {
  return {
    async listAccounts(_input, call) {
      const { store } = await deps.access();
      const linked = await store.identities(sessionIn(call).user);
      const providers = deps.providers.map(({ id, name }) => ({ id, name }));
      return {
        providers,
        accounts: linked.map(({ issuer, subject, linkedAt }) => {
          const known = deps.providers.find((each) => each.issuer === issuer);
          return {
            issuer,
            subject,
            linkedAt,
            provider: known === undefined ? null : { id: known.id, name: known.name },
          };
        }),
      };
    },

    unlinkAccount: async (account, call) => unlinkAccount(await deps.access(), sessionIn(call), account),
  };
}
