/**
 * The caller in a room name of the form `sip-<digits>__<epoch>__<random>`, in E.164: ten digits get the country code, eleven
 * to fifteen a plus. The epoch says nothing reliable.
 */
export function phoneInRoomName(name: string | null, countryCode: string): string | null {
  const digits = /^sip-(\d+)__\d+__./i.exec(name ?? "")?.[1] ?? "";
  if (digits.length === 10) return `+${countryCode}${digits}`;
  return /^[1-9]\d{10,14}$/.test(digits) ? `+${digits}` : null;
}

/** Rooms of incoming SIP calls are called `sip-…`. */
export function isSipRoom(name: string | null): boolean {
  return name?.toLowerCase().startsWith("sip-") ?? false;
}
