import { hkdfSync } from 'node:crypto';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { FileSecretsOptions } from './file-secrets.ts';
import { createKey, readKey } from './key-file.ts';
import { decrypt, encrypt, keyMark } from './seal.ts';
import { readSecretsFile, secretsUnreadable } from './secrets-file.ts';

const FORM = 'v1';

/**
 * Seals with a key that is derived from the one of the secrets store, for this use alone. What is sealed names the mark
 * of that key, so that a lost one is told from an altered text.
 */
export function fileSealer({ file, keyFile }: FileSecretsOptions): Sealer {
  /** Made when there is none; but not in the place of one that secrets were sealed with. */
  const anyKey = async (): Promise<Buffer> => {
    const key = await readKey(keyFile);
    if (key !== null) return key;
    const stored = await readSecretsFile(file);
    if (stored === null || stored.secrets.length + stored.former.length === 0) return createKey(keyFile);
    throw secretsUnreadable(file, `its key ${keyFile} is missing`, `Put the right key back at ${keyFile}.`);
  };
  return {
    async seal(place, text) {
      const key = await anyKey();
      return [FORM, keyMark(key), encrypt(derived(key), binding(place), text)].join('.');
    },
    async open(place, sealed) {
      const [form, mark, bytes = ''] = sealed.split('.');
      if (form !== FORM) throw unreadable(keyFile, 'it has a form that this evenkeel does not know');
      const key = await readKey(keyFile);
      if (key === null) throw unreadable(keyFile, `the key ${keyFile} is missing`);
      if (keyMark(key) !== mark) throw unreadable(keyFile, `${keyFile} is another key than the one it was sealed with`);
      const text = decrypt(derived(key), binding(place), bytes);
      if (text === null) throw unreadable(keyFile, 'it was altered');
      return text;
    },
  };
}

const derived = (key: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), 'evenkeel sealed text 1', 32));

const binding = (place: string): Uint8Array => Buffer.from(JSON.stringify(['evenkeel sealed text 1', place]));

function unreadable(keyFile: string, why: string): EvenkeelError {
  return new EvenkeelError({
    code: 'sealed-unreadable',
    what: 'A sealed text in the store cannot be read.',
    why,
    next: `Put the right key back at ${keyFile}; if it is lost, an admin can take the second factor away, to be set up anew.`,
    exit: 2,
  });
}
