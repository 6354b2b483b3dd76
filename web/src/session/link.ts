/** What a link brings that signs in once; behind the #, so that it is never sent to a server on the way. */
let brought: string | null = null;

/** Takes it out of the address at once: nothing of it stays in the history of the browser. */
export function takeLinkOutOfAddress(): void {
  if (location.pathname !== '/sign-in') return;
  const given = /^#link=([\w-]{1,1000})$/.exec(location.hash)?.[1];
  if (given === undefined) return;
  brought = given;
  history.replaceState(null, '', location.pathname + location.search);
}

export function takeLink(): string | null {
  const link = brought;
  brought = null;
  return link;
}
