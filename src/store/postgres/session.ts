import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { postgresFailure } from './failure.ts';

/** One connection, for what is done when the store is opened. Throws PostgresFailure. */
export interface Session {
  /** The rows of the last statement, every value as text. */
  rows(sql: string, values?: (string | number)[]): Promise<Record<string, string | null>[]>;
  /** The work as one transaction. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
}

export async function withSession<T>(config: ClientConfig, work: (session: Session) => Promise<T>): Promise<T> {
  const client = new Client({ ...config, types: { getTypeParser: () => (text: string) => text } });
  // Said beside the error of whatever was being asked; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await told(client.connect());
    return await work(session(client));
  } finally {
    await client.end().catch(() => {});
  }
}

function session(client: Client): Session {
  const rows: Session['rows'] = async (sql, values = []) => {
    // Without values it may be several statements.
    const asked = values.length === 0 ? client.query(sql) : client.query(sql, values);
    const result: unknown = await told(asked);
    const last: unknown = Array.isArray(result) ? result.at(-1) : result;
    return (last as { rows: Record<string, string | null>[] }).rows;
  };
  return {
    rows,
    async transaction(work) {
      await rows('begin isolation level read committed read write');
      try {
        const result = await work();
        await told(client.query('commit'), true);
        return result;
      } catch (error) {
        await client.query('rollback').catch(() => {});
        throw error;
      }
    },
  };
}

async function told<T>(asked: Promise<T>, committing = false): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw postgresFailure(error, { committing });
  }
}
