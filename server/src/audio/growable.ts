/** A list of numbers that grows in one typed array: two hours have 720,000 peaks per channel. */
export function growable<List extends Int8Array | Float32Array>(make: (size: number) => List) {
  let list = make(4096);
  let length = 0;
  return {
    add(value: number): void {
      if (length === list.length) {
        const larger = make(length * 2);
        larger.set(list);
        list = larger;
      }
      list[length++] = value;
    },
    whole: (): List => list.slice(0, length) as List,
  };
}
