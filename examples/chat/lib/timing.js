/** Measures the steps of one request, for the `Server-Timing` header that browsers show beside it. */
export class Timing {
  #steps = [];

  /**
   * @template T
   * @param {string} step
   * @param {() => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  async measure(step, work) {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#steps.push(`${step};dur=${(performance.now() - start).toFixed(2)}`);
    }
  }

  toString() {
    return this.#steps.join(', ');
  }
}
