/** One item of an event stream; `id` is where to go on from after it. */
export type StreamEvent = { readonly event: string; readonly data: string; readonly id: string };

export type EventStreamReader = {
  /** The items that this piece of text completes. */
  read(text: string): StreamEvent[];
  /** Where to go on from: the id of the last item, or of a heartbeat. */
  readonly lastEventId: () => string;
  /** How long to wait before connecting again, when the server said so. */
  readonly retryMs: () => number | null;
  /** The connection was cut: what was not complete is forgotten. */
  cut(): void;
};

/** Reads `text/event-stream` however it is cut into pieces (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function createEventStreamReader(lastEventId = ""): EventStreamReader {
  let seenId = lastEventId;
  let id = lastEventId;
  let retryMs: number | null = null;
  let rest = "";
  let event = "";
  let data: string[] = [];

  return {
    read(text) {
      const items: StreamEvent[] = [];
      // A line break of two characters may come in two pieces, so a lone CR at the end waits for the next one.
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      if (rest.length > itemCharsMax)
        throw new RangeError(`A line of the stream has more than ${itemCharsMax} characters`);
      for (const line of lines) {
        if (line !== "") {
          field(line);
          continue;
        }
        seenId = id;
        if (data.length > 0) items.push({ event: event || "message", data: data.join("\n"), id });
        event = "";
        data = [];
      }
      return items;
    },
    lastEventId: () => seenId,
    retryMs: () => retryMs,
    cut() {
      id = seenId;
      rest = "";
      event = "";
      data = [];
    },
  };

  function field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d{1,7}$/.test(value)) retryMs = Number(value);
  }
}

const itemCharsMax = 4_000_000;
