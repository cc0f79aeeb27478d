import { AudioRefused } from "./failure.ts";

/** What the first bytes of a file say it is. Names of files and content types of answers are claims, and are not asked. */
export type Container = "wav" | "mp3" | "ogg_opus" | "ogg" | "flac" | "mp4" | "aac" | "webm" | "amr";

/** How many bytes from the start are enough to know. */
export const sniffBytes = 512;

const mimes: Readonly<Record<Container, string>> = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  ogg_opus: "audio/ogg",
  ogg: "audio/ogg",
  flac: "audio/flac",
  mp4: "audio/mp4",
  aac: "audio/aac",
  webm: "audio/webm",
  amr: "audio/amr",
};

export function mimeOf(container: Container): string {
  return mimes[container];
}

/** `wav`, `mp3`, …: what a file of this kind is called. */
export function extensionOf(container: Container): string {
  return { ogg_opus: "ogg", mp4: "m4a" }[container as string] ?? container;
}

/**
 * Decides by the file's own bytes. Whatever names other files or addresses (playlists, HLS, ffconcat, SDP, XML), and whatever
 * is no sound at all (an error page), is refused here, before any decoder sees it.
 * @throws AudioRefused
 */
export function sniff(head: Buffer): Container {
  const container = containerOf(head);
  if (container) return container;
  throw new AudioRefused("recording_refused", refusalOf(head));
}

function containerOf(head: Buffer): Container | null {
  const is = (text: string, at = 0) => head.subarray(at, at + text.length).toString("latin1") === text;
  if (is("RIFF") && is("WAVE", 8)) return "wav";
  if (is("OggS")) return oggContent(head);
  if (is("fLaC")) return "flac";
  if (is("ftyp", 4)) return "mp4";
  if (is("\x1aE\xdf\xa3")) return "webm";
  if (is("#!AMR")) return "amr";
  if (is("ID3")) return "mp3";
  return frameSync(head);
}

/** The first packet of the first page names the codec (RFC 3533, RFC 7845). */
function oggContent(head: Buffer): Container {
  const packet = 27 + (head[26] ?? 0);
  return head.subarray(packet, packet + 8).toString("latin1") === "OpusHead" ? "ogg_opus" : "ogg";
}

/** Eleven set bits, then version and layer: layer 0 is AAC in ADTS. */
function frameSync(head: Buffer): Container | null {
  if (isMpegFrame(head)) return "mp3";
  const [first = 0, second = 0, third = 0] = head;
  const isAdts = first === 0xff && (second & 0xf6) === 0xf0 && ((third >> 2) & 15) < 13;
  return isAdts ? "aac" : null;
}

/** Whether these four bytes begin a frame of MPEG audio. Bit rate and sampling must be possible too, which keeps text out. */
export function isMpegFrame(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return false;
  const [version, layer] = [(second >> 3) & 3, (second >> 1) & 3];
  return version !== 1 && layer !== 0 && third >> 4 !== 15 && third >> 4 !== 0 && ((third >> 2) & 3) !== 3;
}

function refusalOf(head: Buffer): string {
  if (head.length === 0) return "The file is empty";
  const text = head
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart()
    .toLowerCase();
  const named = signs.find(([sign]) => text.startsWith(sign))?.[1];
  return named ? `The file is no sound but ${named}` : "The file is no sound that is known here";
}

const signs: readonly (readonly [sign: string, what: string])[] = [
  ["#extm3u", "a playlist (HLS)"],
  ["ffconcat", "a list of other files (ffconcat)"],
  ["[playlist]", "a playlist"],
  ["<!doctype html", "a web page"],
  ["<html", "a web page"],
  ["<", "XML or HTML"],
  ["{", "JSON"],
  ["[", "JSON"],
  ["v=0", "a session description (SDP)"],
  ["http", "an address"],
];
