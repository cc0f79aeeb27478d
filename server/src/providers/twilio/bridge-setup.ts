import { z } from "zod";

/** How calls of a Twilio source are answered by a speech model (https://platform.openai.com/docs/guides/realtime). */
export const BridgeSetup = z
  .object({
    is_on: z
      .boolean()
      .default(false)
      .describe(
        "Answer calls that are sent to <URL of the source>/voice with a speech model; off: there is no such URL",
      ),
    url: z
      .url({ protocol: /^wss?$/ })
      .default("wss://api.openai.com/v1/realtime")
      .describe("Where the model is, in the Realtime protocol of OpenAI; it gets the secret realtime_key"),
    model: z.string().min(1).max(200).default("gpt-realtime").describe("Which model speaks"),
    voice: z.string().min(1).max(100).default("marin").describe("The voice it speaks with"),
    instructions: z
      .string()
      .max(50_000)
      .default("You are a friendly agent on the telephone. Answer briefly, in the language of the caller.")
      .describe("Who it is and what it does"),
    speaks_first: z.boolean().default(true).describe("It greets the caller; else it waits for the caller to speak"),
    transcription_model: z
      .string()
      .min(1)
      .max(200)
      .default("gpt-4o-mini-transcribe")
      .describe("What turns the caller's words into text for the transcript"),
    language: z
      .string()
      .max(35)
      .default("")
      .describe("Language of the caller (`he`, `en`), where it is known; empty: it is found out"),
    turn_detection: z
      .enum(["server_vad", "semantic_vad"])
      .default("server_vad")
      .describe("How it notices that the caller has finished: by silence, or by what was said"),
    agent_name: z.string().max(200).default("").describe("The name under which it stands in the record of the call"),
    say_on_failure: z
      .string()
      .max(1_000)
      .default("")
      .describe("What Twilio says to the caller when the model is lost; empty: it hangs up"),
    redirect_on_failure: z
      .union([z.literal(""), z.url({ protocol: /^https?$/ })])
      .default("")
      .describe("TwiML that Twilio goes on with when the model is lost, a call of a person for example; empty: none"),
    minutes_max: z.number().int().min(1).max(240).default(60).describe("The longest call, in minutes"),
  })
  .prefault({})
  .describe("Answering the phone with a speech model");
export type BridgeSetup = z.infer<typeof BridgeSetup>;
