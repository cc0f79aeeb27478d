/** What a model is told once when its answer could not be used. */
export function repairRequest(problems: readonly string[], schema: object): string {
  return [
    "Your answer cannot be used:",
    ...problems.map((problem) => `- ${problem}`),
    `Answer again with one JSON object and nothing else, with exactly these properties:\n${JSON.stringify(schema)}`,
  ].join("\n");
}
