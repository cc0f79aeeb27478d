import { createHash, createHmac, type Hash } from "node:crypto";

/** Requests that are signed and ready before the clock starts. */
export type Supply = {
  /** Number of the first request; the others follow. It stands in the id of the call, so a receiver can name it. */
  readonly first: number;
  readonly count: number;
  readonly bodyBytes: number;
  /** Head, shared part and own part of a request, to be written one after the other. `index` counts from 0. */
  parts(index: number): readonly [Buffer, Buffer, Buffer];
};

export type SupplyOptions = {
  readonly first: number;
  readonly count: number;
  readonly bodyBytes: number;
  readonly host: string;
  readonly path: string;
  readonly secret: string;
};

/** Stands before the number in the id of every call. */
export const callMark = "conv_bench";
export const callDigits = 10;

/**
 * Call-ended webhooks as ElevenLabs sends them (`post_call_transcription`), each about another call, a third of them in
 * Hebrew. The long part is shared between requests and the unique part comes last, so that signing costs a hash of a few
 * hundred bytes and memory holds one transcript per template instead of one per request.
 */
export function createSupply({ first, count, bodyBytes, host, path, secret }: SupplyOptions): Supply {
  const seconds = Math.floor(Date.now() / 1000);
  const tailBytes = tailOf(0, seconds).length;
  const templates = Array.from({ length: templateCount }, (_, at) => {
    const shared = Buffer.from(sharedPart(at, bodyBytes - tailBytes, seconds));
    return { shared, signed: beginHmac(secret).update(`${seconds}.`).update(shared) };
  });
  checkAgainstNode(secret, seconds, templates[0]?.shared ?? Buffer.alloc(0));

  const before = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nuser-agent: ElevenLabs/1.0\r\ncontent-length: ${bodyBytes}\r\nelevenlabs-signature: t=${seconds},v0=`;
  const headBytes = before.length + 64 + 4;
  const stride = headBytes + tailBytes;
  const slab = Buffer.allocUnsafe(stride * count);
  for (let index = 0; index < count; index++) {
    const at = index * stride;
    const tail = tailOf(first + index, seconds);
    const template = templates[index % templateCount];
    if (!template) throw new RangeError("no template");
    slab.write(`${before}${endHmac(secret, template.signed.copy().update(tail))}\r\n\r\n`, at, "latin1");
    tail.copy(slab, at + headBytes);
  }
  return {
    first,
    count,
    bodyBytes,
    parts(index) {
      const at = index * stride;
      const shared = templates[index % templateCount]?.shared ?? slab;
      return [slab.subarray(at, at + headBytes), shared, slab.subarray(at + headBytes, at + stride)];
    },
  };
}

const templateCount = 12;

/** What differs from call to call; always the same length. */
function tailOf(number: number, seconds: number): Buffer {
  const digits = String(number).padStart(callDigits, "0");
  const sid = `CA${"be0c4".padEnd(32 - callDigits, "0")}${digits}`;
  return Buffer.from(
    `"metadata":{"start_time_unix_secs":${seconds - 97},"accepted_time_unix_secs":${seconds - 95},"call_duration_secs":95,"cost":412,"cost_fiat":0.0824,` +
      `"termination_reason":"end_call tool was called.","main_language":"en","phone_call":{"type":"twilio","direction":"inbound",` +
      `"phone_number_id":"phnum_7101k2","agent_number":"+97239876543","external_number":"+972501234567","call_sid":"${sid}"}},` +
      `"conversation_id":"${callMark}${digits}"}}`,
  );
}

/** Everything before the unique part, exactly `bytes` long. */
function sharedPart(template: number, bytes: number, seconds: number): string {
  const lines = template % 3 === 0 ? hebrew : english;
  const start =
    `{"type":"post_call_transcription","event_timestamp":${seconds},"data":{"agent_id":"agent_01jz8m${template}","agent_name":"Front desk",` +
    `"status":"done","user_id":null,"has_audio":true,"analysis":{"call_successful":"success","transcript_summary":${JSON.stringify(lines[0])},` +
    `"evaluation_criteria_results":{"polite":{"criteria_id":"polite","result":"success","rationale":"The agent greeted the caller."}},` +
    `"data_collection_results":{"city":{"data_collection_id":"city","value":"Haifa","rationale":"Said by the caller."}}},"transcript":[`;
  const end = (padding: number) =>
    `],"conversation_initiation_client_data":{"dynamic_variables":{"system__time":"${"0".repeat(padding)}"}},`;
  const turns: string[] = [];
  let room = bytes - Buffer.byteLength(start) - Buffer.byteLength(end(0));
  for (let at = 0; ; at++) {
    const turn = JSON.stringify({
      role: at % 2 === 0 ? "agent" : "user",
      message: lines[(at + template) % lines.length],
      tool_calls: null,
      tool_results: null,
      feedback: null,
      time_in_call_secs: at * 4,
      conversation_turn_metrics: { metrics: { convai_llm_service_ttfb: { elapsed_time: 0.41 } } },
    });
    const needed = Buffer.byteLength(turn) + (turns.length > 0 ? 1 : 0);
    if (needed > room) break;
    turns.push(turn);
    room -= needed;
  }
  if (room < 0) throw new RangeError(`A body of this kind does not fit into ${bytes} bytes`);
  return start + turns.join(",") + end(room);
}

const english = [
  "Good morning, this is the front desk. How can I help you today?",
  "Hi, I booked a technician for Thursday and nobody has called me back yet.",
  "I am sorry about that. Let me look at the booking; could you tell me the number on the confirmation?",
  "It says four four one seven, and the address is 12 Herzl Street, second floor.",
  "Thank you. I can see it here: the visit moved to Friday between nine and eleven. Does that suit you?",
  "Friday works, but please ask them to call half an hour before, because of the gate.",
];
const hebrew = [
  "שלום, הגעתם לשירות הלקוחות. במה אפשר לעזור?",
  "הזמנתי טכנאי ליום חמישי ואף אחד לא חזר אליי.",
  "אני מתנצל על כך. אפשר לקבל את מספר ההזמנה שמופיע באישור?",
  "המספר הוא ארבע ארבע אחת שבע, והכתובת היא הרצל 12, קומה שנייה.",
  "תודה. אני רואה שהביקור עבר ליום שישי בין תשע לאחת עשרה. זה מתאים?",
  "שישי מתאים, רק תבקשו שיתקשרו חצי שעה לפני, בגלל השער.",
];

/** HMAC-SHA256 from its two hashes (RFC 2104): unlike Node's Hmac, a Hash can be copied after the shared part. */
function beginHmac(secret: string): Hash {
  return createHash("sha256").update(padded(secret, 0x36));
}

function endHmac(secret: string, inner: Hash): string {
  return createHash("sha256").update(padded(secret, 0x5c)).update(inner.digest()).digest("hex");
}

function padded(secret: string, mask: number): Buffer {
  const key = Buffer.alloc(64);
  if (key.write(secret) !== Buffer.byteLength(secret)) throw new RangeError("The secret is longer than 64 bytes");
  return key.map((byte) => byte ^ mask) as Buffer;
}

function checkAgainstNode(secret: string, seconds: number, shared: Buffer): void {
  const ours = endHmac(secret, beginHmac(secret).update(`${seconds}.`).update(shared));
  const theirs = createHmac("sha256", secret).update(`${seconds}.`).update(shared).digest("hex");
  if (ours !== theirs) throw new Error("The load generator signs wrongly");
}
