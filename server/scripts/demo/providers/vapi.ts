import { randomUUID } from "node:crypto";

import { routes } from "@aftercall/contract/routes.ts";

import type { Player, Stage } from "../play.ts";

/** An outbound call of a campaign, told in five server messages. Proof: the server's secret in `x-vapi-secret`. */
export const vapi: Player = {
  provider: "vapi",
  language: "Hebrew",
  async play({ api, now, secret }) {
    const id = randomUUID();
    const campaignId = randomUUID();
    await api.ask(routes.createCampaign, {
      body: { name: "חידושי אביב", external_id: campaignId, planned_count: 1 },
    });
    // Vapi's given route looks calls up, so whoever starts one says so first; with the answer of POST https://api.vapi.ai/call.
    await api.ask(routes.registerCall, {
      body: {
        provider: "vapi",
        provider_call_id: id,
        direction: "outbound",
        to: "+972501234567",
        campaign: campaignId,
      },
    });
    const message = (type: string, at: number, more: object) => ({
      what: "status" in more ? `${type} ${String(more.status)}` : type,
      path: "/api/webhooks/vapi",
      headers: { "content-type": "application/json", "x-vapi-secret": secret("VAPI_WEBHOOK_SECRET") },
      body: JSON.stringify({ message: { timestamp: at, type, ...surroundings(id, campaignId), ...more } }),
    });
    const [startedAt, endedAt] = [now - 34_500, now - 8_000];
    return {
      providerCallId: id,
      completedBy: "end-of-call-report",
      webhooks: [
        message("status-update", startedAt - 9_000, { status: "queued" }),
        message("status-update", startedAt - 4_200, { status: "ringing" }),
        message("status-update", startedAt, { status: "in-progress" }),
        message("status-update", endedAt, { status: "ended", endedReason: "customer-ended-call" }),
        message("end-of-call-report", now, report(startedAt, endedAt)),
      ],
    };
  },
};

function surroundings(id: string, campaignId: string) {
  const customer = { number: "+972501234567", name: "דנה לוי", externalId: "lead-123" };
  return {
    call: {
      id,
      type: "outboundPhoneCall",
      status: "in-progress",
      phoneCallProvider: "twilio",
      phoneCallProviderId: `CA${id.replaceAll("-", "")}`,
      customer,
      campaignId,
    },
    phoneNumber: { provider: "twilio", number: "+97233764400", name: "Main line" },
    customer,
    assistant: { name: "Sales qualifier (he)", transcriber: { provider: "azure", language: "he-IL" } },
  };
}

function report(startedAt: Stage["now"], endedAt: Stage["now"]) {
  const said = (role: "bot" | "user", second: number, message: string) => ({
    role,
    message,
    time: startedAt + second * 1000,
    endTime: startedAt + second * 1000 + 2_600,
    secondsFromStart: second,
    duration: 2_600,
  });
  return {
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    endedReason: "customer-ended-call",
    cost: 0.0429,
    durationMs: endedAt - startedAt,
    analysis: {
      summary: "הלקוחה ביקשה שיווק נכס בבית שאן ונקבעה פגישה ליום שלישי.",
      structuredData: { city: "בית שאן", service_category: "שיווק נכס" },
      successEvaluation: "true",
    },
    artifact: {
      messages: [
        said("bot", 0.7, "שלום, מדברת נועה. יש לך רגע?"),
        said("user", 4.1, "כן, אני מחפשת שירותי שיווק נכס בבית שאן."),
        said("bot", 9.9, "מעולה, קבעתי לך פגישה ליום שלישי."),
      ],
      transcript:
        "AI: שלום, מדברת נועה. יש לך רגע?\nUser: כן, אני מחפשת שירותי שיווק נכס בבית שאן.\nAI: מעולה, קבעתי לך פגישה ליום שלישי.\n",
      recordingUrl: "https://storage.vapi.example/demo-mono.wav",
    },
  };
}
