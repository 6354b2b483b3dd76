import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * What is spoken: TLS 1.3, and 1.2 with forward secrecy and authenticated encryption alone, which every browser since
 * 2015 can do. The session id context is the same in every edge process, or nobody could resume at another.
 */
export const SECURITY: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  // A client that could begin anew within a connection could keep the edge busy with nothing else.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  sessionIdContext: 'evenkeel',
};
