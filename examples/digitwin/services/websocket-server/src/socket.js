import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** The server's end of a WebSocket, as far as this example needs one: short texts out, pings and an end in. */
export function accept(request, stream, onEnd) {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  let kept = Buffer.alloc(0);
  stream.on('data', (part) => {
    kept = Buffer.concat([kept, part]);
    for (let frame = frameIn(kept); frame !== null; frame = frameIn(kept)) {
      kept = kept.subarray(frame.length);
      if (frame.opcode === PING) stream.write(frameOf(PONG, frame.payload));
      if (frame.opcode === CLOSE) stream.end(frameOf(CLOSE, frame.payload));
    }
  });
  stream.on('close', onEnd);
  stream.on('error', () => stream.destroy());
  return {
    send: (text) => stream.write(frameOf(TEXT, Buffer.from(text))),
    close: (code) => stream.end(frameOf(CLOSE, Buffer.from([code >> 8, code & 255]))),
  };
}

function frameOf(opcode, payload) {
  const short = payload.length < 126;
  const head = short ? [128 | opcode, payload.length] : [128 | opcode, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The first whole frame of what came; null: more is to come. What clients send is masked. */
function frameIn(bytes) {
  if (bytes.length < 2) return null;
  const named = bytes[1] & 127;
  const at = named === 126 ? 4 : named === 127 ? 10 : 2;
  if (bytes.length < at + 4) return null;
  const size = named === 126 ? bytes.readUInt16BE(2) : named === 127 ? Number(bytes.readBigUInt64BE(2)) : named;
  const length = at + 4 + size;
  if (bytes.length < length) return null;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, length).map((byte, index) => byte ^ mask[index % 4]));
  return { opcode: bytes[0] & 15, payload, length };
}
