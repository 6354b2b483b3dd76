import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Challenges } from './challenges.ts';
import { readHello } from './client-hello.ts';
import type { Hello } from './client-hello.ts';

const PROTOCOL = 'acme-tls/1';
/** A client that has not said hello by then is let go. */
const HELLO_MS = 15_000;
/** An issuer has seen the certificate by then. */
const PROOF_MS = 15_000;

/**
 * Has a TLS server answer challenges. OpenSSL asks for a certificate before it has chosen a protocol, so whoever asks for
 * `acme-tls/1` must be known before: while challenges are due, the first message of each connection is read here, and
 * put back. At all other times nothing stands between a client and the server.
 */
export function answerTlsChallenges(server: Server, challenges: Challenges): void {
  const usual = server.listeners('connection') as ((socket: Socket) => void)[];
  const pass = (socket: Socket): void => {
    for (const listener of usual) listener.call(server, socket);
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (!challenges.awaitsTls) pass(socket);
    else
      awaitHello(socket, (hello) => {
        const context = hello?.protocols.includes(PROTOCOL) ? challenges.contextFor(hello.host ?? '') : null;
        if (context === null) pass(socket);
        else prove(new TLSSocket(socket, { isServer: true, secureContext: context, ALPNProtocols: [PROTOCOL] }));
      });
  });
}

/** Null: it says something else. Nobody is called back when the client leaves, or says nothing. */
function awaitHello(socket: Socket, then: (hello: Hello | null) => void): void {
  let bytes = Buffer.alloc(0);
  const give = (hello: Hello | null): void => {
    clearTimeout(timer);
    socket.off('readable', read);
    socket.off('error', leave);
    socket.off('end', leave);
    if (bytes.length > 0) socket.unshift(bytes);
    then(hello);
  };
  const leave = (): void => void socket.destroy();
  const timer = setTimeout(leave, HELLO_MS);
  const read = (): void => {
    for (let chunk: unknown = socket.read(); chunk instanceof Buffer; chunk = socket.read()) {
      bytes = Buffer.concat([bytes, chunk]);
      const reading = readHello(bytes);
      if (reading === 'more') continue;
      give(reading === 'other' ? null : reading);
      return;
    }
  };
  socket.on('error', leave);
  socket.on('end', leave);
  socket.once('close', () => clearTimeout(timer));
  socket.on('readable', read);
}

/** The handshake is all there is to it. */
function prove(socket: TLSSocket): void {
  const timer = setTimeout(() => socket.destroy(), PROOF_MS);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.once('secure', () => socket.end());
  socket.resume();
}
