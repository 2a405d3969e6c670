import { type Tensor, tensor } from "../../src/index.ts";
import { tensorType } from "../../src/ir/type.ts";

/**
 * `numpy.random.seed` and what follows it, number for number: the Mersenne Twister (Matsumoto and Nishimura 1998, "Mersenne Twister: A 623-dimensionally
 * equidistributed uniform pseudo-random number generator", MT19937), normal numbers by Marsaglia's polar method, integers by masks and rejection. For
 * notebooks whose numbers are drawn so.
 */
export class NumpyRandom {
  private readonly state = new Uint32Array(624);
  private at = 624;
  private spare: number | null = null;

  constructor(seed: number) {
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const last = this.state[i - 1]!;
      this.state[i] = Math.imul(last ^ (last >>> 30), 1812433253) + i;
    }
  }

  private next(): number {
    if (this.at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (this.state[i]! & 0x80000000) | (this.state[(i + 1) % 624]! & 0x7fffffff);
        this.state[i] = this.state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = this.state[this.at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private uniform(): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  private normal(): number {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square < 1 && square !== 0) {
        const f = Math.sqrt((-2 * Math.log(square)) / square);
        this.spare = f * x;
        return f * y;
      }
    }
  }

  /** `numpy.random.randn(*shape)`, f64. */
  randn(...shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float64Array.from({ length: size }, () => this.normal()),
      tensorType("f64", shape),
    );
  }

  /** `numpy.random.randint(below, size=count)`, for `below` of at least 2. */
  randint(below: number, count: number): Tensor {
    const mask = 2 ** (32 - Math.clz32(below - 1)) - 1;
    return tensor(
      Int32Array.from({ length: count }, () => {
        for (;;) {
          const drawn = (this.next() & mask) >>> 0;
          if (drawn < below) return drawn;
        }
      }),
    );
  }
}
