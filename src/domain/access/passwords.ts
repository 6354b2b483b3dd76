/** Without a second factor, the shortest that is worth it; longer ones beat odd characters. */
const SHORTEST = 12;
/** More would only cost time. */
const LONGEST = 500;

/** The text that is hashed: the same however a keyboard composes its letters. */
export const normalPassword = (password: string): string => password.normalize('NFKC');

/** What is wrong with a new password, for the person who chose it; null: nothing. */
export function passwordFault(password: string, login: string): string | null {
  const text = normalPassword(password);
  if (Array.from(text).length < SHORTEST) return `it has less than ${SHORTEST} characters`;
  if (text.length > LONGEST) return `it has more than ${LONGEST} characters`;
  if (new Set(text).size < 5) return 'it repeats the same few characters';
  const plain = text.toLowerCase();
  const name = login.toLowerCase();
  if (plain.replaceAll(name, '').length < 6) return 'it is little more than the sign-in name';
  return null;
}

/** The form in which sign-in names are stored and compared. Small letters may compose where large ones do not: `J̌`. */
export const normalLogin = (login: string): string => login.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
