// Accounts and messages. One database file is shared by all instances of all releases.
import { HttpError } from '../lib/http.js';
import { migrations, openDatabase, transaction } from './database.js';

const CACHE_MS = 300_000;
const WELCOME_CREDITS = 20;

export class Store {
  #db = openDatabase();
  #statements = new Map();
  #needed = migrations().map(({ name }) => name);
  /** @type {Map<string, { balance: number, until: number }>} */
  #balances = new Map();

  /** Throws unless the database answers and has everything that this release needs. A newer schema is fine. */
  checkReady() {
    const applied = new Set(
      this.#sql('select name from schema_migrations')
        .all()
        .map((row) => row.name),
    );
    const missing = this.#needed.filter((name) => !applied.has(name));
    if (missing.length > 0) throw new Error(`not migrated: ${missing.join(', ')}`);
  }

  /**
   * The balance as the cache knows it. Another instance's change is seen within a moment (see `forget`), so this may
   * let somebody in too early, which the transaction then refuses; nobody is ever turned away by the cache alone.
   *
   * @param {string} user
   */
  balance(user) {
    const cached = this.#balances.get(user);
    if (cached && cached.balance > 0 && cached.until > Date.now()) return cached.balance;
    const row = this.#sql('select balance from accounts where user_id = ?').get(user);
    const balance = row ? Number(row.balance) : WELCOME_CREDITS;
    this.#balances.set(user, { balance, until: Date.now() + CACHE_MS });
    if (this.#balances.size > 10_000) this.#balances.delete(this.#balances.keys().next().value);
    return balance;
  }

  /** @param {string} user */
  forget(user) {
    this.#balances.delete(user);
  }

  forgetAll() {
    this.#balances.clear();
  }

  /**
   * Stores the message and takes one credit for it: both, or neither.
   *
   * @param {string} user
   * @param {string} text
   * @param {string} reply
   */
  addMessage(user, text, reply) {
    const message = transaction(this.#db, () => {
      this.#openAccount(user);
      const taken = this.#sql('update accounts set balance = balance - 1 where user_id = ? and balance > 0').run(user);
      if (Number(taken.changes) === 0) throw noCredits();
      const createdAt = Date.now();
      const added = this.#sql('insert into messages (user_id, text, reply, created_at) values (?, ?, ?, ?)').run(
        user,
        text,
        reply,
        createdAt,
      );
      const id = Number(added.lastInsertRowid);
      this.#sql('insert into ledger (user_id, delta, message_id) values (?, -1, ?)').run(user, id);
      return { id, user, text, reply, createdAt };
    });
    this.forget(user);
    return message;
  }

  /**
   * @param {string} user
   * @param {number} amount
   * @returns {number} the new balance
   */
  addCredits(user, amount) {
    transaction(this.#db, () => {
      this.#openAccount(user);
      this.#sql('update accounts set balance = balance + ? where user_id = ?').run(amount, user);
      this.#sql('insert into ledger (user_id, delta) values (?, ?)').run(user, amount);
    });
    this.forget(user);
    return this.balance(user);
  }

  /** Messages after `id`, oldest first. */
  messagesSince(id, limit = 500) {
    return this.#sql(`${SELECT_MESSAGES} where id > ? order by id limit ?`).all(id, limit).map(toMessage);
  }

  /** The newest messages, oldest first. */
  newestMessages(limit = 50) {
    return this.#sql(`${SELECT_MESSAGES} order by id desc limit ?`).all(limit).map(toMessage).toReversed();
  }

  newestMessageId() {
    return Number(this.#sql('select coalesce(max(id), 0) as id from messages').get()?.id);
  }

  newestLedgerId() {
    return Number(this.#sql('select coalesce(max(id), 0) as id from ledger').get()?.id);
  }

  /** @returns {{ id: number, user: string }[]} changes of balances after ledger entry `id` */
  ledgerSince(id) {
    return this.#sql('select id, user_id from ledger where id > ? order by id')
      .all(id)
      .map((row) => ({ id: Number(row.id), user: String(row.user_id) }));
  }

  close() {
    this.#db.close();
  }

  #openAccount(user) {
    const opened = this.#sql('insert into accounts (user_id, balance) values (?, ?) on conflict do nothing').run(
      user,
      WELCOME_CREDITS,
    );
    if (Number(opened.changes) === 1) {
      this.#sql('insert into ledger (user_id, delta) values (?, ?)').run(user, WELCOME_CREDITS);
    }
  }

  /** Prepared at first use: an instance may start before the migration has made the tables. */
  #sql(text) {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, (statement = this.#db.prepare(text)));
    return statement;
  }
}

export function noCredits() {
  return new HttpError(402, 'no-credits', 'no credit left: POST /api/credits {"amount": 10}');
}

const SELECT_MESSAGES = 'select id, user_id, text, reply, created_at from messages';

function toMessage(row) {
  return {
    id: Number(row.id),
    user: String(row.user_id),
    text: String(row.text),
    reply: String(row.reply),
    createdAt: Number(row.created_at),
  };
}
