import { createServer } from "node:http";

/** Wonderful's Communication API as far as the demo needs it: one practice call, in the records that it keeps of one. */
export async function startCommunicationApi(endedAt: number): Promise<{ readonly url: string }> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(recordsOf(endedAt)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // It ends with the demo and keeps nobody waiting.
  server.unref();
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}` };
}

function recordsOf(endedAt: number) {
  const startedAt = endedAt - 62_000;
  return said.map(([speaker, from, to, text]) => ({
    speaker,
    text,
    start_time: startedAt + from * 1000,
    end_time: startedAt + to * 1000,
    tool_details: null,
  }));
}

/** The trainee is the agent; the customer is played by Wonderful. Seconds from the start. */
const said = [
  ["agent", 0, 4, "בוקר טוב, מדברת דנה מחברת אור שירותים. במה אפשר לעזור?"],
  ["customer", 5, 11, "שלום, אני רוצה לבטל את המנוי שלי, הוא יקר מדי בשבילי."],
  ["agent", 12, 22, "אני מבינה. אפשר לשאול כמה את משלמת היום, ובאילו שירותים את משתמשת?"],
  ["customer", 23, 31, "אני משלמת מאה ועשרים שקל בחודש, ואני משתמשת רק באינטרנט."],
  ["agent", 32, 44, "יש לנו מסלול אינטרנט בלבד בשמונים ותשעה שקל. זה מתאים לך?"],
  ["customer", 45, 49, "כן, זה נשמע הרבה יותר טוב."],
  ["agent", 50, 61, "מצוין, העברתי אותך למסלול החדש מהיום. תודה רבה ויום טוב!"],
] as const;
