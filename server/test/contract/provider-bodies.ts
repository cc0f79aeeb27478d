import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";

import { fixtureIds } from "../harness/fixture.ts";
import { filesBelow, providersFolder } from "../harness/provider-files.ts";
import { anything } from "./arbitrary.ts";

/** Those whose bodies the document does not describe: they are their own. */
export const intakeProviders = ["vapi", "elevenlabs", "livekit", "twilio", "wonderful", "generic"] as const;
export type IntakeProvider = (typeof intakeProviders)[number];

/** What a provider really sends, or any of them, with something in it replaced; of a few calls. */
export function bodiesLike(provider: IntakeProvider | null): fc.Arbitrary<string> {
  const samples = provider ? samplesOf(provider) : intakeProviders.flatMap(samplesOf);
  const change = fc.record({ way: fc.array(fc.nat(11), { maxLength: 6 }), instead: anything });
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { maxLength: 2 }), fc.nat(9))
    .map(([sample, changes, call]) => ofCall(sample.write(changes.reduce(spoil, sample.value)), call));
}

type Change = { readonly way: readonly number[]; readonly instead: unknown };
type Sample = { readonly value: unknown; write(value: unknown): string };

function samplesOf(provider: IntakeProvider): Sample[] {
  const folder = join(providersFolder, provider, "fixtures");
  return filesBelow(folder)
    .filter((file) => file !== "expected.json")
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      if (file.endsWith(".txt")) return { value: Object.fromEntries(new URLSearchParams(text)), write: form };
      return { value: JSON.parse(text) as unknown, write: (value: unknown) => JSON.stringify(value) ?? "" };
    });
}

function form(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return new URLSearchParams(Object.entries(value).map(([name, one]) => [name, String(one)])).toString();
}

/** Goes down into a value, at each step to the child of that number, and puts something else there. */
function spoil(value: unknown, { way, instead }: Change): unknown {
  const [step, ...further] = way;
  if (step === undefined || typeof value !== "object" || value === null) return instead;
  const entries = Object.entries(value);
  const [name, child] = entries[step % entries.length] ?? [];
  if (name === undefined) return instead;
  const changed = spoil(child, { way: further, instead });
  return Array.isArray(value)
    ? value.with(Number(name), changed)
    : Object.fromEntries(entries.map(([one, old]) => [one, one === name ? changed : old]));
}

function ofCall(text: string, number: number): string {
  const end = String(number).padStart(4, "0");
  const { callSid, vapiCall, room } = fixtureIds;
  return [callSid, vapiCall, room].reduce((body, id) => body.replaceAll(id, id.slice(0, -4) + end), text);
}
