import { createHmac, randomBytes } from "node:crypto";

import { routes } from "@aftercall/contract/routes.ts";

import type { Player } from "../play.ts";

/** An inbound call, told in one post-call webhook. Proof: `ElevenLabs-Signature`, a timed HMAC of the body. */
export const elevenlabs: Player = {
  provider: "elevenlabs",
  language: "English",
  async play({ api, now, secret }) {
    const conversationId = `conv_${randomBytes(14).toString("hex")}`;
    // The given route answers 404 for a conversation that nobody has registered (its event is kept all the same).
    await api.ask(routes.registerCall, {
      body: { provider: "elevenlabs", provider_call_id: conversationId, direction: "inbound" },
    });
    const seconds = Math.floor(now / 1000);
    const body = JSON.stringify({
      type: "post_call_transcription",
      event_timestamp: seconds,
      data: conversation(conversationId, seconds),
    });
    const signature = createHmac("sha256", secret("ELEVENLABS_WEBHOOK_SECRET"))
      .update(`${seconds}.${body}`)
      .digest("hex");
    return {
      providerCallId: conversationId,
      completedBy: "post_call_transcription",
      webhooks: [
        {
          what: "post_call_transcription",
          path: "/webhooks/elevenlabs/post-call",
          headers: { "content-type": "application/json", "elevenlabs-signature": `t=${seconds},v0=${signature}` },
          body,
        },
      ],
    };
  },
};

function conversation(id: string, seconds: number) {
  const said = (role: "agent" | "user", at: number, message: string) => ({
    role,
    message,
    tool_calls: [],
    tool_results: [],
    time_in_call_secs: at,
    interrupted: false,
  });
  return {
    agent_id: "agent_5401k4daj54pez9r6ap59x7ypeft",
    agent_name: "Night desk",
    status: "done",
    conversation_id: id,
    has_audio: true,
    transcript: [
      said("agent", 0, "Good evening, this is the night desk. How can I help?"),
      said("user", 3, "I am locked out of my flat. Can you send somebody?"),
      said("agent", 8, "Of course. A locksmith will be with you within forty minutes."),
    ],
    metadata: {
      start_time_unix_secs: seconds - 49,
      call_duration_secs: 41,
      cost: 296,
      cost_fiat: 0.0429,
      phone_call: {
        type: "twilio",
        direction: "inbound",
        agent_number: "+14155550100",
        external_number: "+14155550123",
        call_sid: `CA${id.slice(5).padEnd(32, "0")}`,
      },
      termination_reason: "end_call tool was called.",
      main_language: "en",
    },
    analysis: {
      call_successful: "success",
      transcript_summary: "The caller was locked out; a locksmith was sent within forty minutes.",
      data_collection_results: { city: { data_collection_id: "city", value: "Austin" } },
    },
  };
}
