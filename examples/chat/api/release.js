// What this release is, and how it behaves. Change it, then `evenkeel deploy api`.
//
// A bad release to watch being taken back:   VERSION = 'v3', errorRate = 0.05, extraDelayMs = 150

/** Sent with every reply as `x-app-version`. */
export const VERSION = 'v1';

/** Share of requests, 0..1, whose handler throws. */
export const errorRate = 0;

/** Milliseconds added to every request. */
export const extraDelayMs = 0;
