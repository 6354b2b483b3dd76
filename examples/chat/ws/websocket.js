// The server's side of RFC 6455, as much as a chat needs: text, ping, close; no extensions.
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';

const MAX_MESSAGE_BYTES = 64 * 1024;
const CLOSE_TIMEOUT_MS = 2000;
const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/**
 * Answers the handshake; a request that is none gets 400.
 *
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:stream').Duplex} socket
 * @param {Buffer} head
 * @param {Record<string, string>} headers
 * @returns {WebSocketConnection | undefined}
 */
export function acceptWebSocket(req, socket, head, headers = {}) {
  const key = req.headers['sec-websocket-key'];
  const { pathname } = new URL(req.url ?? '/', 'http://ws');
  if (!key || req.headers['sec-websocket-version'] !== '13' || pathname !== '/ws') {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    return undefined;
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = Object.entries({
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-accept': accept,
    ...headers,
  });
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`);
  return new WebSocketConnection(socket, head);
}

/** Emits `message` with a text, and `close` once. */
export class WebSocketConnection extends EventEmitter {
  #socket;
  #received;
  /** @type {Buffer[]} */
  #fragments = [];
  #closing = false;

  constructor(socket, head) {
    super();
    this.#socket = socket;
    this.#received = head;
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#readFrames();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => this.emit('close'));
    if (head.length > 0) setImmediate(() => this.#readFrames());
  }

  /** @param {string} text */
  send(text) {
    if (!this.#closing && this.#socket.writable) this.#write(OP.text, Buffer.from(text));
  }

  /** Says goodbye, and waits a moment for the answer before it lets go. */
  close(code = 1000, reason = '') {
    if (this.#closing) return;
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
    this.#write(OP.close, payload);
    this.#closing = true;
    setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref();
  }

  #readFrames() {
    while (this.#received.length >= 2 && !this.#socket.destroyed) {
      const opcode = this.#received[0] & 0x0f;
      const final = (this.#received[0] & 0x80) !== 0;
      let length = this.#received[1] & 0x7f;
      let offset = 2;
      if (length === 126) {
        if (this.#received.length < 4) return;
        length = this.#received.readUInt16BE(2);
        offset = 4;
      } else if (length === 127) {
        length = Number.MAX_SAFE_INTEGER;
      }
      if ((this.#received[1] & 0x80) === 0) return this.#fail(1002, 'frames of a client are masked');
      if (length > MAX_MESSAGE_BYTES) return this.#fail(1009, 'too large');
      if (this.#received.length < offset + 4 + length) return;
      const mask = this.#received.subarray(offset, offset + 4);
      const payload = Buffer.from(this.#received.subarray(offset + 4, offset + 4 + length));
      for (let i = 0; i < length; i += 1) payload[i] ^= mask[i & 3];
      this.#received = this.#received.subarray(offset + 4 + length);
      this.#handleFrame(opcode, final, payload);
    }
  }

  #handleFrame(opcode, final, payload) {
    if (opcode === OP.ping) this.#write(OP.pong, payload);
    else if (opcode === OP.close) this.#answerClose(payload);
    else if (opcode === OP.text || opcode === OP.binary || opcode === OP.continuation) {
      this.#fragments.push(payload);
      const size = this.#fragments.reduce((sum, part) => sum + part.length, 0);
      if (size > MAX_MESSAGE_BYTES) this.#fail(1009, 'too large');
      else if (final) this.emit('message', Buffer.concat(this.#fragments.splice(0)).toString('utf8'));
    } else if (opcode !== OP.pong) this.#fail(1002, 'unknown frame');
  }

  #answerClose(payload) {
    if (!this.#closing) this.#write(OP.close, payload.subarray(0, 2));
    this.#closing = true;
    this.#socket.end();
  }

  #fail(code, reason) {
    this.close(code, reason);
    this.#socket.end();
  }

  #write(opcode, payload) {
    const short = payload.length < 126;
    const header = Buffer.alloc(short ? 2 : 4);
    header[0] = 0x80 | opcode;
    header[1] = short ? payload.length : 126;
    if (!short) header.writeUInt16BE(payload.length, 2);
    this.#socket.write(Buffer.concat([header, payload]));
  }
}
