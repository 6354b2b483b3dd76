export type CountSetting = { readonly ok: true; readonly count: number } | { readonly ok: false; readonly why: string };

/** The whole number from 1 to `most` that a variable of the environment says; 1 without it. */
export function countSetting(env: NodeJS.ProcessEnv, name: string, most: number): CountSetting {
  const text = env[name] ?? '';
  const count = text === '' ? 1 : Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return { ok: true, count };
  return { ok: false, why: `${name} is ${JSON.stringify(text)}, and may be 1 to ${most}` };
}
