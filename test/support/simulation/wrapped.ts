type Method = (...args: unknown[]) => unknown;

/**
 * A driver with other methods in the place of its own; each is made when it is called first, and once: histories call them
 * millions of times.
 */
export function wrapped<T extends object>(driver: T, make: (value: Method, key: string, target: T) => Method): T {
  const made = new Map<string, Method>();
  return new Proxy(driver, {
    get(target, key) {
      const known = typeof key === 'string' ? made.get(key) : undefined;
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key !== 'string') return value;
      const method = make(value as Method, key, target);
      made.set(key, method);
      return method;
    },
  });
}
