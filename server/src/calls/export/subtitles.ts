import type { Transcript } from "@aftercall/contract/call.ts";

import { clockOf, cuesOf } from "./cues.ts";

/** The transcript as SubRip subtitles (.srt); null when it has no times. */
export function srtOf(transcript: Transcript): string | null {
  const cues = cuesOf(transcript);
  if (!cues) return null;
  return cues
    .map(({ startMs, endMs, speaker, text }, i) => {
      const times = `${clockOf(startMs, ",")} --> ${clockOf(endMs, ",")}`;
      // An empty line ends a subtitle, so a text holds none; an arrow would be read as a time.
      return `${i + 1}\n${times}\n${speaker}: ${flat(text).replaceAll("-->", "→")}\n`;
    })
    .join("\n");
}

/** The transcript as WebVTT, with who speaks as voice (W3C WebVTT §4.2.2); null when it has no times. */
export function vttOf(transcript: Transcript): string | null {
  const cues = cuesOf(transcript);
  if (!cues) return null;
  const body = cues.map(({ startMs, endMs, speaker, text }) => {
    return `${clockOf(startMs, ".")} --> ${clockOf(endMs, ".")}\n<v ${speaker}>${escaped(flat(text))}\n`;
  });
  return `WEBVTT\n\n${body.join("\n")}`;
}

function flat(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, " ").trim();
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
