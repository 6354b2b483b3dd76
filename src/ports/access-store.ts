import type { PeopleStore } from './people-store.ts';
import type { SignInStore } from './sign-in-store.ts';

/** Who there is, what they may do, and by what they are known. Every method is one transaction, as with `Store`. */
export type AccessStore = PeopleStore & SignInStore;

/** What keeps the state keeps this beside it. */
export interface HoldsAccess {
  /** Always the same. Loaded when it is first asked for: on most servers only the local token is ever used. */
  access(): Promise<AccessStore>;
}
