import { fromPublicId } from "@aftercall/contract/id.ts";

import { type FieldError, Invalid } from "#/kernel/errors.ts";
import { refusalWords } from "#/kernel/refusal-words.ts";
import type { Provider } from "#/providers/provider.ts";

/** The provider of a new source. Throws {@link Invalid} with the names that exist. */
export function providerNamed(providers: readonly Provider[], name: string): Provider {
  const provider = providers.find((one) => one.name === name);
  if (provider) return provider;
  const names = providers.map((one) => one.name).join(", ");
  throw invalid("/provider", `Must be one of ${names}`);
}

/** Throws {@link Invalid} with pointers below `/setup` when the provider's own schema refuses the settings. */
export function checkSetup(provider: Provider, setup: Readonly<Record<string, unknown>>): void {
  const result = provider.setup.safeParse(setup, { error: refusalWords });
  if (result.success) return;
  const errors = result.error.issues.flatMap((issue): FieldError[] => {
    const path = ["/setup", ...issue.path.map(escape)].join("/");
    if (issue.code !== "unrecognized_keys") return [{ pointer: path, detail: issue.message }];
    return issue.keys.map((key) => ({
      pointer: `${path}/${escape(key)}`,
      detail: `${provider.title} has no such setting`,
    }));
  });
  throw new Invalid(`These settings do not fit ${provider.title}`, errors);
}

/** Throws {@link Invalid} for a slot the provider has not, a missing key name, or a value that is plainly a mistake. */
export function checkSecret(
  provider: Provider,
  secret: { slot: string; key_id: string | null; value?: string | undefined },
  at = "",
): void {
  const slot = provider.secrets.find((one) => one.slot === secret.slot);
  if (!slot) {
    const slots = provider.secrets.map((one) => one.slot).join(", ");
    throw invalid(`${at}/slot`, slots === "" ? `${provider.title} has no secrets` : `Must be one of ${slots}`);
  }
  if (slot.keyIdEnv !== undefined && secret.key_id === null)
    throw invalid(`${at}/key_id`, `${slot.title} needs the name of its key`);
  const { value } = secret;
  if (value === undefined) return;
  if (value.trim() !== value)
    throw invalid(`${at}/value`, "Has white space at its start or end; was it copied with it?");
  if (["undefined", "[object Object]"].includes(value))
    throw invalid(`${at}/value`, "Is the name of a missing value, not a secret");
}

/** The UUID of a user given by public id. */
export function userIdOf(id: string | null): string | null {
  if (id === null) return null;
  const uuid = fromPublicId("user", id);
  if (uuid === null) throw invalid("/user_id", "Is not the id of a user");
  return uuid;
}

export function invalid(pointer: string, detail: string): Invalid {
  return new Invalid("The request has fields that are not accepted; errors names them", [{ pointer, detail }]);
}

function escape(part: PropertyKey): string {
  return String(part).replaceAll("~", "~0").replaceAll("/", "~1");
}
