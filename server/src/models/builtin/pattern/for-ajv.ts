import { compilePattern } from "./compile.ts";
import { search } from "./search.ts";

const stepsMax = 200_000;

/** For ajv: a `pattern` of a JSON Schema is the tenant's too, so it is matched in bounded time like every other. */
export const boundedRegExp = Object.assign(
  (source: string) => {
    const program = compilePattern(source);
    return {
      test: (text: string) => {
        const found = search(program, text, 0, { steps: stepsMax });
        return found !== null && found !== "exhausted";
      },
    };
  },
  // What ajv would write into code that it makes for a file; it makes none here.
  { code: "" },
);
