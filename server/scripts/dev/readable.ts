const colors: Readonly<Record<string, string>> = { warn: "\u001b[33m", error: "\u001b[31m", fatal: "\u001b[31m" };
const dim = "\u001b[2m";
const plain = "\u001b[0m";

/** A line of the log for people: time, level, message, then what varies. A line that is not one of ours stays as it is. */
export function readable(line: string, isColored: boolean): string {
  const fields = fieldsOf(line);
  if (!fields) return line;
  const { time, level, msg, err, ...rest } = fields;
  const paint = (text: string, color: string | undefined) => (isColored && color ? `${color}${text}${plain}` : text);
  const facts = Object.entries(rest).map(([name, value]) => `${name}=${valueOf(value)}`);
  const head = `${paint(String(time).slice(11, 23), dim)} ${paint(String(level).padEnd(5), colors[String(level)])} ${String(msg)}`;
  return `${head}${facts.length > 0 ? `  ${paint(facts.join(" "), dim)}` : ""}${stackOf(err)}`;
}

function fieldsOf(line: string): Record<string, unknown> | null {
  try {
    const fields: unknown = JSON.parse(line);
    return typeof fields === "object" && fields !== null && "msg" in fields ? { ...fields } : null;
  } catch {
    return null;
  }
}

function valueOf(value: unknown): string {
  if (value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function stackOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("stack" in error)) return "";
  return `\n${String(error.stack).replace(/^/gm, "    ")}`;
}
