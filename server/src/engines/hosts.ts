/** Whose engine answers at a URL, as prices and cost lines name it: the maker where it is known, else the host. */
export function providerAt(baseUrl: string): string {
  const { hostname, host } = new URL(baseUrl);
  return makers.find(([domain]) => hostname === domain || hostname.endsWith(`.${domain}`))?.[1] ?? host;
}

const makers: readonly (readonly [domain: string, name: string])[] = [
  ["openai.com", "openai"],
  ["anthropic.com", "anthropic"],
  ["groq.com", "groq"],
  ["deepgram.com", "deepgram"],
  ["elevenlabs.io", "elevenlabs"],
  ["assemblyai.com", "assemblyai"],
];

/** What each maker takes in one upload; engines of one's own take what their operator lets them. */
export function uploadBytesAt(provider: string): number {
  return uploads[provider] ?? 500_000_000;
}

const uploads: Readonly<Record<string, number>> = {
  openai: 25_000_000,
  groq: 25_000_000,
  deepgram: 2_000_000_000,
  elevenlabs: 2_000_000_000,
  assemblyai: 2_000_000_000,
};

/** Models that answer 400 when they are told a temperature. */
export function refusesTemperature(model: string): boolean {
  return /^(?:o\d|gpt-5)/.test(model);
}
