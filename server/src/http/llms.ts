import type { Document } from "./docs.ts";

/** `/llms.txt` (https://llmstxt.org): what there is to read here, for programs that read; each page as it is written. */
export function llmsText(publicUrl: string, documents: readonly Document[]): string {
  const sections = [...Map.groupBy(documents, ({ name }) => name.split("/")[0] ?? "")]
    .filter(([folder]) => folder !== "decisions")
    .map(([folder, all]) => {
      const links = all.map(({ name, title }) => `- [${title}](${publicUrl}/docs/${name}.md)`);
      return `## ${folder.charAt(0).toUpperCase()}${folder.slice(1)}\n\n${links.join("\n")}`;
    });
  return `# aftercall

> Takes in what voice providers (Vapi, ElevenLabs, LiveKit, Twilio, Wonderful, and anything that sends JSON) tell about calls, makes one record of each call, and sends one signed message to everybody who has to know. Self-hosted; the API is under /v1.

Send \`Authorization: Bearer <key>\`. JSON in snake_case, times in RFC 3339, lists with \`limit\` and \`cursor\`, refusals as RFC 9457 problems whose \`type\` is a page. Give every POST an \`Idempotency-Key\`.

## Machine-readable

- [OpenAPI 3.1](${publicUrl}/openapi.json): every route and every message that is sent
- [AsyncAPI 3.0](${publicUrl}/asyncapi.json): the live channel, server-sent events and WebSocket
- [API reference](${publicUrl}/docs/plain): the same as one page without script

${sections.join("\n\n")}
`;
}
