/**
 * The part of Markdown that our own documents use, as HTML: headings, paragraphs, lists, tables, quotes, code, links.
 * Everything is escaped first, so a document can never bring in markup of its own.
 */
export function htmlOfMarkdown(markdown: string): string {
  const lines = markdown.replaceAll("\r\n", "\n").split("\n");
  const blocks: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const block = blockAt(lines, at);
    if (block.html !== "") blocks.push(block.html);
    at = block.next;
  }
  return blocks.join("\n");
}

/** Text as HTML text or attribute value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

type Block = { readonly html: string; readonly next: number };

function blockAt(lines: readonly string[], at: number): Block {
  const line = lines[at] ?? "";
  if (line.trim() === "") return { html: "", next: at + 1 };
  if (line.startsWith("```")) return fence(lines, at);
  const heading = /^(#{1,6}) +(.*)$/.exec(line);
  if (heading) return { html: headingOf(heading[1]?.length ?? 1, heading[2] ?? ""), next: at + 1 };
  if (/^(---+|\*\*\*+)\s*$/.test(line)) return { html: "<hr>", next: at + 1 };
  if (line.startsWith("|")) return table(lines, at);
  if (line.startsWith(">"))
    return run(
      lines,
      at,
      (l) => l.startsWith(">"),
      (rows) => `<blockquote>${htmlOfMarkdown(rows.map((row) => row.replace(/^> ?/, "")).join("\n"))}</blockquote>`,
    );
  if (isItem(line)) return list(lines, at);
  return run(
    lines,
    at,
    (l) => l.trim() !== "" && !/^(```|#{1,6} |\||>)/.test(l) && !isItem(l),
    (rows) => `<p>${inline(rows.join(" "))}</p>`,
  );
}

/** Takes the lines from `at` on that belong together; the first always does. */
function run(
  lines: readonly string[],
  at: number,
  belongs: (line: string) => boolean,
  html: (rows: string[]) => string,
): Block {
  let next = at + 1;
  while (next < lines.length && belongs(lines[next] ?? "")) next++;
  return { html: html(lines.slice(at, next)), next };
}

function fence(lines: readonly string[], at: number): Block {
  const end = lines.findIndex((line, i) => i > at && line.startsWith("```"));
  const next = end < 0 ? lines.length : end + 1;
  const code = lines.slice(at + 1, end < 0 ? lines.length : end).join("\n");
  return { html: `<pre><code>${escapeHtml(code)}</code></pre>`, next };
}

function headingOf(level: number, text: string): string {
  const id = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
  return `<h${level} id="${escapeHtml(id)}">${inline(text)}</h${level}>`;
}

function table(lines: readonly string[], at: number): Block {
  return run(
    lines,
    at,
    (line) => line.startsWith("|"),
    (rows) => {
      const [head = "", , ...body] = rows;
      const bodyRows = body.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n");
      return `<table><thead><tr>${cells(head, "th")}</tr></thead><tbody>${bodyRows}</tbody></table>`;
    },
  );
}

function cells(row: string, tag: "th" | "td"): string {
  const texts = row.replace(/^\||\|\s*$/g, "").split(/(?<!\\)\|/);
  return texts.map((text) => `<${tag}>${inline(text.trim().replaceAll("\\|", "|"))}</${tag}>`).join("");
}

function isItem(line: string): boolean {
  return /^ {0,3}([-*]|\d+\.) +/.test(line);
}

/** Items may go on over indented lines; a list inside an item is shown as text of that item. */
function list(lines: readonly string[], at: number): Block {
  return run(
    lines,
    at,
    (line) => isItem(line) || /^ {2,}\S/.test(line),
    (rows) => {
      const items: string[] = [];
      for (const row of rows) {
        if (isItem(row)) items.push(row.replace(/^ *([-*]|\d+\.) +/, ""));
        else items.push(`${items.pop() ?? ""} ${row.trim()}`);
      }
      const tag = /^ *\d/.test(rows[0] ?? "") ? "ol" : "ul";
      return `<${tag}>${items.map((item) => `<li>${inline(item)}</li>`).join("\n")}</${tag}>`;
    },
  );
}

function inline(text: string): string {
  // Code first: nothing inside it is markup. Its places are kept by a private-use character.
  const codes: string[] = [];
  const held = text
    .replaceAll("\uE000", "")
    .replace(/`([^`]+)`/g, (_, code: string) => `\uE000${codes.push(code) - 1}\uE000`);
  return (
    escapeHtml(held)
      // No asterisk and no code in an address: what they become later must not stand inside an attribute.
      .replace(
        /\[([^\]]+)\]\(([^)\s*\uE000]+)\)/g,
        (whole, label: string, href: string) => linkOf(label, href) ?? whole,
      )
      .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
      .replace(/(^|[\s(])\*([^*\s][^*]*)\*/g, "$1<em>$2</em>")
      .replace(/\uE000(\d+)\uE000/g, (_, i: string) => `<code>${escapeHtml(codes[Number(i)] ?? "")}</code>`)
  );
}

/** Links lead to our own pages or to the web, never to a script. `label` and `href` are escaped already. */
function linkOf(label: string, href: string): string | null {
  if (!/^(https?:\/\/|\/(?!\/)|#|\.{0,2}\/?[\w-])/.test(href) || /^[\w+.-]+:(?!\/\/)/.test(href)) return null;
  return `<a href="${href.replace(/\.md(?=$|#)/, "")}">${label}</a>`;
}
