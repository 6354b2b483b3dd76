/** Resolves when all have, at the latest after so many milliseconds. Rejects when one of them does before. */
export async function within(ms: number, all: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(all), late]).finally(() => clearTimeout(timer));
}
