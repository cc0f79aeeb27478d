import { elevenlabs } from "./elevenlabs/index.ts";
import { generic } from "./generic/index.ts";
import { livekit } from "./livekit/index.ts";
import type { Provider } from "./provider.ts";
import { twilio } from "./twilio/index.ts";
import { vapi } from "./vapi/index.ts";
import { wonderful } from "./wonderful/index.ts";

/** Who can call us. A provider is its folder and one line here; the conformance suite checks that both exist. */
export const providers: readonly Provider[] = [vapi, elevenlabs, livekit, twilio, wonderful, generic];

/** The provider of that name, or undefined. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name);
}
