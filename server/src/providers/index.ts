import type { Provider } from "./provider.ts";

/** Who can call us. A provider is its folder and one line here; the conformance suite checks that both exist. */
export const providers: readonly Provider[] = [];

/** The provider of that name, or undefined. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name);
}
