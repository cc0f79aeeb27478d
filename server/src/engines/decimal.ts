/**
 * Money as whole billionths, so that nothing is lost by adding: `0.15` → 150000000n. What is finer than a billionth is cut off.
 * @throws RangeError when it is no decimal text.
 */
export function billionths(text: string): bigint {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === "") throw new RangeError(`Not a decimal number: ${text}`);
  const value = BigInt(whole) * unit + BigInt(fraction.slice(0, places).padEnd(places, "0"));
  return sign === "" ? value : -value;
}

/** `150000000n` → `0.15`. */
export function decimalOf(value: bigint): string {
  const [sign, rest] = value < 0n ? ["-", -value] : ["", value];
  const fraction = String(rest % unit)
    .padStart(places, "0")
    .replace(/0+$/, "");
  return `${sign}${rest / unit}${fraction === "" ? "" : `.${fraction}`}`;
}

const places = 9;
const unit = 1_000_000_000n;
