/* @__NO_SIDE_EFFECTS__ */
function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    table[n] = c;
  }
  return table;
}

const table: Uint32Array = /* @__PURE__ */ makeTable();

/** The checksum of zip and gzip (ISO 3309, polynomial 0xedb88320 reflected); `before` is that of the bytes before these, which come in pieces. */
export function crc32(bytes: Uint8Array, before: number = 0): number {
  let c = before ^ 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
