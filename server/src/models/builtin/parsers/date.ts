import * as chrono from "chrono-node";

import { chunksOf } from "./chunks.ts";
import { parseHebrewDates } from "./hebrew-date.ts";
import type { Parsed, Surroundings } from "./parser.ts";
import { isoOf, offsetMinutes } from "./time-zone.ts";

/**
 * Dates, and dates with a time, as they are meant on the day of the call: `2026-05-03`, or `2026-05-03T10:30:00+03:00` where
 * a time of day was said too. What lies ahead is assumed where a day could be both ("Tuesday", "at ten"). Without the
 * start of the call there is nothing to reckon from, and nothing is found.
 */
export function parseDates(text: string, around: Surroundings): Parsed[] {
  const { startedAtMs, timeZone, spend } = around;
  if (startedAtMs === null) return [];
  const zone = timeZone ?? "UTC";
  if (hebrew.test(text)) return parseHebrewDates(text, { startedAtMs, zone });
  const chunks = chunksOf(text).filter((chunk) => hint.test(chunk.text));
  if (chunks.length === 0) return [];
  const reference = { instant: new Date(startedAtMs), timezone: offsetMinutes(startedAtMs, zone) };
  return chunks.flatMap((chunk) =>
    spend(chunk.text.length)
      ? parserOf(around)
          .parse(chunk.text, reference, { forwardDate: true })
          .flatMap((result) => dateOf(result, zone, chunk.start))
      : [],
  );
}

function dateOf({ start, text, index }: chrono.ParsedResult, zone: string, offset: number): Parsed[] {
  const hasDay = start.isCertain("day") || start.isCertain("weekday");
  const hasTime = start.isCertain("hour");
  if ((!hasDay && !hasTime) || isWord.test(text)) return [];
  const day = { year: start.get("year") ?? 0, month: start.get("month") ?? 1, day: start.get("day") ?? 1 };
  const time = hasTime ? { hour: start.get("hour") ?? 0, minute: start.get("minute") ?? 0 } : null;
  const place = { start: offset + index, end: offset + index + text.length };
  return [{ value: isoOf(day, time, zone), ...place, certainty: hasDay ? 1 : 0.6 }];
}

const hebrew = /[\u05d0-\u05ea]/;

/** Without one of these no language names a day: a look at them is a hundred times faster than the parsers. */
const hint =
  /\d|day|to(?:night|morrow)|yester|week|month|year|noon|morning|evening|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|heute|morgen|gestern|tag|woche|demain|hier|aujourd|lundi|mardi|jeudi|samedi|dimanche|semaine|hoy|mañana|ayer|lunes|martes|jueves|viernes|s[áa]bado|domingo|semana|amanh|hoje|ontem|feira|oggi|domani|ieri|luned|marted|gioved|venerd|domenica|сегодня|завтра|вчера|понед|вторник|сред|четверг|пятниц|суббот|воскрес|недел|今|明|昨|日|曜|月/iu;

/** Short for a day of the week, and words of their own: "I sat in the sun". */
const isWord = /^(?:sat|sun|wed|mon)$/;

function parserOf({ language, country }: Surroundings): { parse: typeof chrono.parse } {
  switch (language?.toLowerCase().split("-")[0]) {
    case "de":
      return chrono.de;
    case "fr":
      return chrono.fr;
    case "es":
      return chrono.es;
    case "it":
      return chrono.it;
    case "pt":
      return chrono.pt;
    case "nl":
      return chrono.nl;
    case "ru":
      return chrono.ru;
    case "uk":
      return chrono.uk;
    case "ja":
      return chrono.ja;
    case "zh":
      return chrono.zh;
    case "sv":
      return chrono.sv;
    default:
      // The month comes first in the United States only.
      return country === "US" || language?.toLowerCase() === "en-us" ? chrono.en : chrono.en.GB;
  }
}
