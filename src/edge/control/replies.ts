import type { Refusal } from '../../domain/traffic/admission.ts';
import { applyCommandSchema } from '../../domain/traffic/protocol.ts';
import type { ApplyCommand, ApplyReply } from '../../domain/traffic/protocol.ts';

/** Whoever is told this looks the socket up again. */
export const SUPERSEDED = { reason: 'superseded', detail: 'a newer edge process has taken over' } as const;

export const refusedNow = (refused: Refusal): ApplyReply => ({ applied: false, refused, at: Date.now() });

/** What arrived, or why it is no command. */
export function readCommand(text: unknown): { refused: Refusal } | { refused: null; command: ApplyCommand } {
  const { success, data, error } = applyCommandSchema.safeParse(text);
  if (success) return { refused: null, command: data };
  const detail = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return { refused: { reason: 'invalid', detail } };
}
