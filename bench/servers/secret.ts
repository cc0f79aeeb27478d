/** What all requests of the benchmark are signed with, in the form of an ElevenLabs webhook secret. */
export const webhookSecret = "wsec_bench_5f0a7d3c9e1b4826";
