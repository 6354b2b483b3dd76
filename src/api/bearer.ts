import type { FastifyRequest } from 'fastify';

/** The token that a request brings; null: none. Of other ways to authenticate nothing is known here. */
export const bearerIn = ({ headers }: Pick<FastifyRequest, 'headers'>): string | null =>
  /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
