/** Named in every reply, so that whoever asks sees which release answered. */
export const VERSION = '1.0.0';
