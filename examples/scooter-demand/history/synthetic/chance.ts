/**
 * Randomness by address rather than in sequence: a number depends on the seed and on what it is for, not on what was drawn before.
 * So any zone and hour can be made up alone, in any order, and comes out the same.
 */
export class Chance {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = mix(seed | 0);
  }

  /** Uniform in [0, 1), the same for the same address: whole numbers that say what it is for. */
  at(...address: readonly number[]): number {
    let state = this.#seed;
    for (const part of address) state = mix(state ^ Math.imul(part | 0, 0x9e3779b1));
    return state / 2 ** 32;
  }

  /** Near normal, mean 0 and deviation 1: the sum of four uniforms, which is bounded by 3.5. */
  normal(...address: readonly number[]): number {
    let sum = 0;
    for (let part = 0; part < 4; part += 1) sum += this.at(...address, part);
    return (sum - 2) * Math.sqrt(3);
  }

  /** A curve that wanders about 0, with deviation about 1, and is smooth over less than `period` (value noise). */
  wander(position: number, period: number, ...address: readonly number[]): number {
    const cell = Math.floor(position / period);
    const part = position / period - cell;
    const ease = part * part * (3 - 2 * part);
    const [left, right] = [this.normal(...address, cell), this.normal(...address, cell + 1)];
    return left + (right - left) * ease;
  }

  /** Poisson with this mean: by inversion, or above 60 by the normal that it is near to. */
  poisson(mean: number, ...address: readonly number[]): number {
    if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal(...address)));
    let rest = this.at(...address);
    let probability = Math.exp(-mean);
    let count = 0;
    while (rest >= probability && count < 400) {
      rest -= probability;
      count += 1;
      probability *= mean / count;
    }
    return count;
  }
}

/** The finalizer of MurmurHash3 (Austin Appleby, public domain): each bit in changes half of the bits out. */
function mix(value: number): number {
  let state = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
