/** Every limit of working with sound, with the reason for the number. */
export const audioLimits = {
  /** The longest recording that is decoded: ten hours of silence fit into 7 MB of FLAC. */
  durationMsMax: 4 * 3_600_000,
  /** Telephony has one or two; each further one costs memory. */
  channelsMax: 8,
  /** Of a WAV header; others say theirs while they are decoded. */
  sampleRateMin: 4_000,
  sampleRateMax: 192_000,
  /** Bytes read at a time. */
  readBytes: 65_536,
  /** How long the decoding of one recording may take altogether. */
  decodeMsMax: 600_000,
  /** Processor seconds and address space of one ffmpeg. */
  ffmpegCpuSeconds: 300,
  ffmpegMemoryKb: 1_500_000,
  /** What ffmpeg says on standard error is kept up to this. */
  ffmpegWordsMax: 2_000,
} as const;
