import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";

import { build } from "../scripts/build.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tsc = path.join(root, "node_modules/typescript/bin/tsc");
let place: string;
/** The package as it is after `npm install`, in a project that has nothing else of ours. */
let installed: string;
beforeAll(() => {
  place = mkdtempSync(path.join(tmpdir(), "sdk-"));
  installed = path.join(place, "node_modules/@aftercall/sdk");
  build(path.join(installed, "dist"));
  cpSync(path.join(root, "sdk/package.json"), path.join(installed, "package.json"));
  mkdirSync(path.join(place, "node_modules/@types"));
  for (const name of ["react", "@types/react", "csstype", "@tanstack"]) {
    symlinkSync(path.join(root, "node_modules", name), path.join(place, "node_modules", name));
  }
  writeFileSync(path.join(place, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Compiles files of a project that uses the package; what the compiler says, nothing when it is content. */
function compile(files: Record<string, string>, options: object): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(place, name), text);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2022",
    lib: ["es2023", "dom"],
    types: [],
    jsx: "react-jsx",
    ...options,
  };
  writeFileSync(path.join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  return spawnSync(process.execPath, [tsc, "-p", place], { encoding: "utf8" }).stdout;
}

const usage = {
  "usage.ts": `
    import { createClient, paginate, verify, AftercallError, type Call } from "@aftercall/sdk";
    import { createListener } from "@aftercall/sdk/listener";
    const aftercall = createClient({ baseUrl: "https://calls.example.com", token: "ac_live_1" });
    export async function run(request: Request) {
      const call: Call = await aftercall.getCall("call_1");
      for await (const { duration_ms } of paginate(aftercall.listCalls, { status: ["failed"] })) duration_ms satisfies number | null;
      const { event } = await verify(await request.arrayBuffer(), request.headers, "whsec_AAAA");
      if (event.type === "call.completed") event.data.call.outcome satisfies Call["outcome"];
      await createListener(aftercall, { endpoint: "ep_1" }).run(({ body, headers }) => void verify(body, headers, "whsec_AAAA"));
      // @ts-expect-error an id is a text
      await aftercall.getCall(1);
      // @ts-expect-error there is no such field
      call.colour;
      return new AftercallError({ status: 0, code: "a", detail: "b" }).code satisfies string;
    }`,
  "usage-react.tsx": `
    import { createClient } from "@aftercall/sdk";
    import { AftercallProvider, useCall, useCallOutcome } from "@aftercall/sdk/react";
    import { callQueries } from "@aftercall/sdk/query";
    import { useQuery } from "@tanstack/react-query";
    const aftercall = createClient({});
    function Show() {
      const { outcome } = useCallOutcome("call_1", "user_1");
      // @ts-expect-error an outcome has no colour
      outcome?.colour;
      const { call } = useCall("call_1", { live: true });
      const { data } = useQuery(callQueries(aftercall).detail("call_1"));
      return <p>{outcome?.duration} {call?.status} {data?.status}</p>;
    }
    export const page = <AftercallProvider client={aftercall}><Show /></AftercallProvider>;`,
};

test.each(["nodenext", "bundler"])(
  "a project with moduleResolution %s gets all types, without zod and the contract",
  (resolution) => {
    const module = resolution === "bundler" ? "esnext" : "nodenext";
    expect(compile(usage, { module, moduleResolution: resolution, skipLibCheck: false })).toBe("");
  },
);

test("the types that are published are those of the contract", { timeout: 120_000 }, () => {
  const same = `
    import type * as Ours from ${JSON.stringify(path.join(root, "sdk/src/contract.ts"))};
    import type * as Printed from ${JSON.stringify(path.join(installed, "dist/contract.d.ts"))};
    // What may be any JSON speaks of itself, without an end.
    type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
    type Plain<T> = unknown extends T ? T : [Json] extends [T] ? Json
      : T extends object ? { -readonly [K in keyof T]: Plain<T[K]> } : T;
    type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false;
    type Common<A, B> = keyof A & keyof B;
    type Differing<A, B> = Exclude<keyof A | keyof B, Common<A, B>>
      | { [K in Common<A, B>]: Same<A[K], B[K]> extends true ? never : K }[Common<A, B>];
    // In an event type is a JSON Schema; what is published says of its parts only that they are there.
    type Known = "createEventType" | "updateEventType";
    declare function nothing<Found extends never>(): Found;
    nothing<Exclude<Differing<Ours.Routes, Printed.Routes>, Known>>();
    nothing<Differing<Ours.EventData, Printed.EventData>>();
    nothing<Differing<Ours.StreamData, Printed.StreamData>>();
    nothing<Differing<
      { call: Ours.Call; live: Ours.LiveCall; turn: Ours.LiveTurn; problem: Ours.Problem; transcript: Ours.Transcript },
      { call: Printed.Call; live: Printed.LiveCall; turn: Printed.LiveTurn; problem: Printed.Problem; transcript: Printed.Transcript }
    >>();
    // And what is wrong would be seen.
    // @ts-expect-error a call is no campaign
    nothing<Differing<{ call: Ours.Call }, { call: Printed.Campaign }>>();`;
  const options = {
    module: "nodenext",
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
  };
  expect(compile({ "same.ts": same }, options)).toBe("");
});

test("every type that the sources export is published too", () => {
  const exported = readFileSync(path.join(root, "sdk/src/contract.ts"), "utf8").matchAll(
    /^export type (?:\{([^}]+)\}|(\w+))/gm,
  );
  const names = [...exported].flatMap(([, list, name]) => list?.split(",").map((one) => one.trim()) ?? [name ?? ""]);
  const printed = readFileSync(path.join(installed, "dist/contract.d.ts"), "utf8");
  expect(names.filter((name) => name !== "" && !printed.includes(`export type ${name} `))).toEqual([]);
});

test("it runs as it is, in plain Node", () => {
  const program = `
    import { createClient, verify } from "@aftercall/sdk";
    import { useCall } from "@aftercall/sdk/react";
    import { callQueries } from "@aftercall/sdk/query";
    import { createListener } from "@aftercall/sdk/listener";
    const { getCall } = createClient({ baseUrl: "http://localhost" });
    console.log(typeof getCall, typeof verify, typeof useCall, typeof callQueries, typeof createListener);`;
  writeFileSync(path.join(place, "run.js"), program);
  const said = execFileSync(process.execPath, ["run.js"], { cwd: place, encoding: "utf8" });
  expect(said.trim()).toBe("function function function function function");
});

test.each([
  ["all of @aftercall/sdk", 'export * from "@aftercall/sdk";', 6_000],
  ["that with /query", 'export * from "@aftercall/sdk"; export * from "@aftercall/sdk/query";', 6_600],
  ["the listener alone", 'export { createListener } from "@aftercall/sdk/listener";', 3_000],
  ["verify alone", 'export { verify } from "@aftercall/sdk";', 1_500],
  ["the hook of outcomes alone", 'export { useCallOutcome } from "@aftercall/sdk/react";', 2_000],
])("%s is small: what is not used is left out", async (_name, text, bytesMax) => {
  const entry = path.join(place, "entry.js");
  writeFileSync(entry, text);
  const bundle = await rolldown({ input: entry, external: [/^react/, /^@tanstack/], platform: "browser" });
  const { output } = await bundle.generate({ minify: true });
  await bundle.close();
  const { code } = output[0];
  expect(code).not.toContain("zod");
  expect(gzipSync(code).length).toBeLessThan(bytesMax);
});
