/** A server as fast as Node allows, so that the proxy before it is what is measured. `origin.ts PORT` */
import { createServer } from 'node:net';

const reply = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\nconnection: keep-alive\r\n\r\nhello, world\n',
);
const END = Buffer.from('\r\n\r\n');

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => {
    // Requests of the bench have no bodies, and rarely arrive in parts.
    const all = rest.length === 0 ? data : Buffer.concat([rest, data]);
    let from = 0;
    for (let at = all.indexOf(END); at >= 0; at = all.indexOf(END, from)) {
      socket.write(reply);
      from = at + END.length;
    }
    rest = Buffer.from(all.subarray(from));
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
