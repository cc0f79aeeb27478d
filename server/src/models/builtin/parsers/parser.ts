/** What a parser reads out of the text of one turn. Offsets are UTF-16 units of it. */
export type Parsed = {
  readonly value: unknown;
  readonly start: number;
  readonly end: number;
  /** How sure the reading is, 0 to 1; 1 when left out. */
  readonly certainty?: number;
  /** Why the value is there and cannot be understood: nobody knows, which is not the same as nothing said. */
  readonly fault?: string;
};

/** What values are understood by: when the call began and where it took place. */
export type Surroundings = {
  /** Milliseconds since 1970; null when nobody knows, and then no date can be told from "tomorrow". */
  readonly startedAtMs: number | null;
  /** IANA name, as in `Asia/Jerusalem`. */
  readonly timeZone: string | null;
  /** ISO 3166-1 alpha-2: what a phone number without a country code belongs to. */
  readonly country: string | null;
  /** Where the call's own numbers are from: for phone numbers where no country is set, and for nothing else. */
  readonly callCountry?: string | null;
  readonly language: string | null;
  /** Asks for leave to look at that many characters closely; no once a call has been looked at enough. */
  readonly spend: (chars: number) => boolean;
};

export type Parser = (text: string, around: Surroundings) => readonly Parsed[];
