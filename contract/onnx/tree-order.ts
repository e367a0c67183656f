/** Beyond this many tree nodes the order is not looked at, so that memory stays bounded (20 MB). */
const MAX_NODES = 1_000_000;

/** The mode of a node that has no children; all others branch. */
const LEAF = Buffer.from('LEAF');

const MODES = 'nodes_modes';
const LISTS = new Set(['nodes_treeids', 'nodes_nodeids', 'nodes_truenodeids', 'nodes_falsenodeids', MODES]);

/**
 * Whether every walk down the trees of an ensemble ends. onnxruntime 1.30.0 refuses a node that points to itself, but loads
 * trees whose branches go back to an ancestor, and walks them for ever. Where each child has a greater id than its parent,
 * as every exporter writes it, no walk can come back.
 */
export class TreeOrder {
  readonly #lists = new Map<string, Numbers>();

  /** The list that an attribute of that name fills; undefined for all other attributes. */
  list(attribute: string): Numbers | undefined {
    if (!LISTS.has(attribute)) return undefined;
    const list = this.#lists.get(attribute) ?? new Numbers();
    this.#lists.set(attribute, list);
    return list;
  }

  ends(): boolean {
    const [ids, yes, no, branches] = ['nodes_nodeids', 'nodes_truenodeids', 'nodes_falsenodeids', MODES].map(
      (name) => this.#lists.get(name)?.values ?? [],
    ) as [Int32Array, Int32Array, Int32Array, Int32Array];
    const count = ids.length;
    if (count === 0 || [...LISTS].some((name) => !this.#lists.get(name)?.whole(count))) return false;
    for (let node = 0; node < count; node++) {
      if (branches[node] === 1 && (yes[node]! <= ids[node]! || no[node]! <= ids[node]!)) return false;
    }
    return true;
  }
}

/** A list of numbers below 2^31 in four bytes each. */
export class Numbers {
  #values = new Int32Array(0);
  #count = 0;
  #fits = true;

  push(value: number): void {
    if (value > 0x7fffffff || this.#count === MAX_NODES) this.#fits = false;
    if (!this.#fits) return;
    if (this.#count === this.#values.length) {
      const grown = new Int32Array(Math.max(64, this.#count * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = value;
  }

  /** The next of nodes_modes: 1 for a node that branches. */
  mode(text: Uint8Array): void {
    this.push(LEAF.equals(text) ? 0 : 1);
  }

  /** Whether it holds every value, and as many as that. */
  whole(count: number): boolean {
    return this.#fits && this.#count === count;
  }

  get values(): Int32Array {
    return this.#values.subarray(0, this.#count);
  }
}
