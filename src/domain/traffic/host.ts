/** A name or an address, and perhaps a port; nothing that a program, a page or a log could take for something else. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Whether this can be the host that a request is for (RFC 9110, 7.2), as real hosts are written. */
export const isHost = (text: string): boolean => HOST.test(text);
