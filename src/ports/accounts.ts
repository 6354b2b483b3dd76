/** Accounts of the operating system. */
export interface Accounts {
  /**
   * As what the commands of a service run: the same text for the same account, by whatever name it is asked for.
   * `OWN_ACCOUNT` (domain/access/shared-accounts.ts): as evenkeel itself. For a user whom the machine does not know, a
   * text of its own: nothing will run.
   */
  of(service: { project: string; environment: string; service: string; user: string | undefined }): Promise<string>;
}
