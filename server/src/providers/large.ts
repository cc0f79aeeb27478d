import type { ProviderRequest, Secret, Verification, VerifyInput } from "./provider.ts";

/** Bodies that are too long to be held: a recording inside JSON. They are verified and taken apart while they come in. */
export type LargeBodies<Setup> = {
  readonly bytesMax: number;
  /** The type of these events, large or small. */
  readonly type: string;
  /** The member below `data` whose base64 is the recording. */
  readonly member: string;
  /** Begins a verification before the body is there; fed with it, it verifies as the provider does with a whole one. */
  begin(headers: ProviderRequest["headers"], secrets: readonly Secret[]): StreamedVerification<Setup>;
};

export type StreamedVerification<Setup> = {
  update(chunk: Buffer): void;
  /** The same input as for a body that was held; the body in it is not looked at. */
  verify(input: VerifyInput<Setup>): Verification;
};
