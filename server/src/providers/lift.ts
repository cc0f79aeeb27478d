/** What was taken out of a JSON text while it came in: the text around it, in two parts. */
export type Lifted = { readonly before: Buffer; readonly after: Buffer; readonly isFound: boolean };

export type Lifter = {
  /** Takes the next bytes of the text, and gives what they hold of the value, decoded. */
  push(chunk: Buffer): Buffer;
  /** @throws LiftFailed when the text around the value is too long, or the value is no base64. */
  end(): Lifted;
};

export class LiftFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LiftFailed";
  }
}

/**
 * Takes one long base64 string out of a JSON text that is too long to be held: the member of this name in an object two levels
 * deep. The rest passes byte for byte; whether it is JSON at all is for whoever parses it.
 */
export function createLifter(member: string, restBytesMax: number): Lifter {
  const kept: [Buffer[], Buffer[]] = [[], []];
  let keptBytes = 0;
  let isFound = false;
  let state: "outside" | "string" | "lifting" = "outside";
  let isEscaped = false;
  let depth = 0;
  let name = "";
  let isNamed = false;
  let pending = "";

  return {
    push(chunk) {
      const values: Buffer[] = [];
      let from = 0;
      for (let at = 0; at < chunk.length; at++) {
        if (state === "lifting") {
          const end = chunk.indexOf(quote, at);
          values.push(decode(chunk.toString("latin1", at, end < 0 ? chunk.length : end), end >= 0));
          at = end < 0 ? chunk.length : end;
          from = at + 1;
          if (end >= 0) state = "outside";
        } else if (step(chunk[at] ?? 0)) {
          keep(0, chunk.subarray(from, at));
          from = at + 1;
          [state, isFound] = ["lifting", true];
        }
      }
      if (from < chunk.length) keep(isFound ? 1 : 0, chunk.subarray(from));
      return Buffer.concat(values);
    },
    end() {
      if (state === "lifting") throw new LiftFailed("The value has no end");
      return { before: Buffer.concat(kept[0]), after: Buffer.concat(kept[1]), isFound };
    },
  };

  /** True: the value begins behind this byte. */
  function step(byte: number): boolean {
    if (state === "string") {
      if (isEscaped) isEscaped = false;
      else if (byte === backslash) isEscaped = true;
      else if (byte === quote) state = "outside";
      if (state === "string" && name.length <= member.length) name += String.fromCharCode(byte);
      return false;
    }
    if (byte === quote) {
      if (isNamed && !isFound) return true;
      [state, name] = ["string", ""];
    } else if (byte === colon) isNamed = depth === 2 && name === member;
    else if (byte > space) {
      isNamed = false;
      if (byte === openObject || byte === openList) depth++;
      if (byte === closeObject || byte === closeList) depth--;
    }
    return false;
  }

  function keep(part: 0 | 1, bytes: Buffer): void {
    keptBytes += bytes.length;
    if (keptBytes > restBytesMax) throw new LiftFailed("The text around the value is too long");
    kept[part].push(Buffer.from(bytes));
  }

  /** Four characters make three bytes; what is left over waits for the next chunk. Some writers escape the slash. */
  function decode(text: string, isEnd: boolean): Buffer {
    const whole = pending + (text.includes("\\") || pending.includes("\\") ? text.replaceAll("\\/", "/") : text);
    const length = isEnd ? whole.length : whole.length - (whole.length % 4);
    pending = whole.slice(length);
    const part = whole.slice(0, length);
    if (!/^[A-Za-z0-9+/=]*$/.test(part)) throw new LiftFailed("The value is no base64");
    return Buffer.from(part, "base64");
  }
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const space = 0x20;
const openObject = 0x7b;
const closeObject = 0x7d;
const openList = 0x5b;
const closeList = 0x5d;
