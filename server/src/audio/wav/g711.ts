// Both laws of ITU-T G.711 as tables: 256 bytes are all there are.

/** 16-bit samples by µ-law byte. */
export function muLawTable(): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => {
    const bits = ~byte & 0xff;
    const magnitude = (((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7);
    return bits & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
  });
}

/** 16-bit samples by a-law byte. */
export function aLawTable(): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => {
    const bits = byte ^ 0x55;
    const segment = (bits >> 4) & 7;
    const low = ((bits & 0x0f) << 4) + 8;
    const magnitude = segment === 0 ? low : (low + 0x100) << (segment - 1);
    return bits & 0x80 ? magnitude : -magnitude;
  });
}
