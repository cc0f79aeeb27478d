import { createHash, createHmac, randomBytes } from "node:crypto";

import type { Player, Stage } from "../play.ts";

/** A SIP call in a room, told in five events. Proof: a token signed by the API key's secret that holds the body's hash. */
export const livekit: Player = {
  provider: "livekit",
  language: "English",
  async play(stage) {
    const sid = `RM_${randomBytes(6).toString("hex")}`;
    const startedAt = Math.floor(stage.now / 1000) - 68;
    const room = {
      sid,
      name: `sip-4155550177__${startedAt}__${randomBytes(3).toString("hex")}`,
      creationTime: String(startedAt),
      creationTimeMs: String(startedAt * 1000 + 123),
      metadata: JSON.stringify({ customer_name: "Sam Ortiz" }),
    };
    const event = (name: string, second: number, more: object) => {
      const id = `EV_${randomBytes(6).toString("hex")}`;
      // Whole numbers of 64 bits are text on LiveKit's wire; this one is seconds.
      const body = JSON.stringify({ event: name, room, ...more, id, createdAt: String(startedAt + second) });
      return {
        what: name,
        path: "/api/webhooks/call_completed",
        headers: { "content-type": "application/webhook+json", authorization: tokenFor(body, stage) },
        body,
      };
    };
    return {
      providerCallId: sid,
      completedBy: "participant_left",
      webhooks: [
        event("room_started", 0, {}),
        event("participant_joined", 2, { participant: caller(sid, "ACTIVE", "active", startedAt) }),
        event("participant_left", 45, {
          participant: { ...caller(sid, "DISCONNECTED", "hangup", startedAt), disconnectReason: "CLIENT_INITIATED" },
        }),
        event("egress_ended", 48, { room: { sid, name: room.name }, egressInfo: egress(sid, room.name, startedAt) }),
        event("room_finished", 66, { roomEndReason: "ROOM_END_IDLE_TIMEOUT" }),
      ],
    };
  },
};

function tokenFor(body: string, { secret, now }: Stage): string {
  const seconds = Math.floor(now / 1000);
  const sha256 = createHash("sha256").update(body).digest("base64");
  const claims = { iss: secret("LIVEKIT_API_KEY"), iat: seconds, nbf: seconds, exp: seconds + 300, sha256 };
  const signed = [{ alg: "HS256", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createHmac("sha256", secret("LIVEKIT_API_SECRET")).update(signed).digest("base64url")}`;
}

function caller(room: string, state: string, callStatus: string, startedAt: number) {
  return {
    sid: "PA_sipCaller0001",
    identity: "sip_+14155550177",
    name: "Phone +14155550177",
    state,
    kind: "SIP",
    joinedAt: String(startedAt + 2),
    attributes: {
      "sip.callID": room.replace("RM_", "SCL_"),
      "sip.callStatus": callStatus,
      "sip.phoneNumber": "+14155550177",
      "sip.trunkPhoneNumber": "+14155550100",
      "sip.trunkID": "ST_abcdEFGH1234",
      "sip.ruleID": "SDR_abcdEFGH1234",
    },
  };
}

/** The recording; times of egress are nanoseconds. */
function egress(roomId: string, roomName: string, startedAt: number) {
  const file = {
    filename: "recordings/demo.mp3",
    location: "https://recordings.example.com/recordings/demo.mp3",
    size: "320984",
    duration: "40123000000",
  };
  const times = { startedAt: `${startedAt + 5}000000000`, endedAt: `${startedAt + 45}123000000` };
  return {
    egressId: `EG_${randomBytes(6).toString("hex")}`,
    roomId,
    roomName,
    status: "EGRESS_COMPLETE",
    ...times,
    fileResults: [{ ...file, ...times }],
  };
}
