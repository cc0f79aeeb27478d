/** Telephone sound is 8,000 bytes a second, one for each sample (ITU-T G.711). */
export const bytesPerMs = 8;

/** µ-law for nothing. */
export const silence = 0xff;

/** The header of a WAV file of µ-law in two channels (RFC 2361: format 7). `frames`: bytes of one channel. */
export function stereoHeader(frames: number): Buffer {
  const [channels, rate, dataBytes] = [2, bytesPerMs * 1_000, frames * 2];
  const header = Buffer.alloc(58);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(50 + dataBytes, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(7, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels, 28);
  header.writeUInt16LE(channels, 32);
  header.writeUInt16LE(8, 34);
  header.writeUInt16LE(0, 36);
  header.write("fact", 38, "latin1");
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(frames, 46);
  header.write("data", 50, "latin1");
  header.writeUInt32LE(dataBytes, 54);
  return header;
}
