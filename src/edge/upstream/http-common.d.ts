/** The native llhttp binding behind node:http, as far as the edge uses it. Node is pinned; a test holds the contract. */
declare module 'node:_http_common' {
  export class HTTPParser {
    static readonly REQUEST: number;
    static readonly RESPONSE: number;
    static readonly kOnMessageBegin: number;
    static readonly kOnHeaders: number;
    static readonly kOnHeadersComplete: number;
    static readonly kOnBody: number;
    static readonly kOnMessageComplete: number;
    static readonly kLenientNone: number;
    [callback: number]: unknown;
    initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void;
    /** Bytes consumed, or the parse error. */
    execute(data: Buffer): number | Error;
    finish(): Error | undefined;
    close(): void;
  }
}
