/** What a command is given so that it means this environment: ` --env production`; empty for the one that it means anyway. */
export const envOption = (environment: string): string =>
  environment === 'development' ? '' : ` --env ${environment}`;
