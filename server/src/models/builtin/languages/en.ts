import type { Dictionary } from "./dictionary.ts";

export const english: Dictionary = {
  language: "en",
  speakers: { agent: "Agent", human_agent: "Agent", customer: "Customer" },
  quoted: (count) => `Extractive: ${count} ${count === 1 ? "sentence" : "sentences"}, quoted.`,
  measured(key, role, amount) {
    const name = key.replace(/_ms$/, "").replaceAll("_", " ");
    return `${name.charAt(0).toUpperCase()}${name.slice(1)}${role ? ` (${role})` : ""}: ${amount}`;
  },
  amount(value, unit) {
    switch (unit) {
      case "ms":
        return `${Number((value / 1000).toFixed(1))} s`;
      case "ratio":
        return `${Number((value * 100).toFixed(1))} %`;
      case "count":
      case "score":
        return String(value);
      case "per_min":
        return `${value} a minute`;
      case "per_hour":
        return `${value} an hour`;
      case "per_100_words":
        return `${value} in 100 words`;
      case "wpm":
        return `${value} words a minute`;
    }
  },
  comparison(op, amount) {
    const phrases = { "<": "less than", "<=": "at most", ">": "more than", ">=": "at least" };
    return `${phrases[op]} ${amount}`;
  },
  between: (low, high) => `${low} to ${high}`,
  wanted: (measured, wanted) => `${measured}; wanted ${wanted}.`,
  notKnown: (key, reason) => `${key} is not known for this call${reason ? ` (${reason})` : ""}.`,
  said(what, isSaid, range) {
    const where = range ? ` in turns ${range.from} to ${range.to}` : "";
    return `${what} was ${isSaid ? "" : "not "}said${where}.`;
  },
  theNumber: "The number asked for",
  noSuchPart: "The part of the call that it is about cannot be told.",
  field(name, state) {
    if (state === "ambiguous") return `Several values of ${name} were said.`;
    return state === "found" ? `${name} was found.` : `${name} was not mentioned.`;
  },
  fieldMissing: "The field was not looked for.",
  needsModel: "Needs a language model.",
  failsWithout: "The call fails without it.",
  worth: (points) => `It is worth ${points} ${points === 1 ? "point" : "points"} of the scorecard.`,
  criteria: {
    greeting: "Greets in the first turns",
    talk_ratio: "Leaves the other side room to talk",
    monologue: "No monologue longer than 90 seconds",
    questions: "Asks at least two questions",
    interruptions: "Interrupts at most twice",
    response_latency: "Answers within three seconds",
    closing: "Thanks or says goodbye in the last turns",
  },
};
