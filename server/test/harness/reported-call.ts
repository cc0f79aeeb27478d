import { newUuid, type Customer } from "./customer.ts";

/** A call that Vapi reports whole, once everything is made of it; gives its id. */
export async function reportedCall(customer: Customer): Promise<string> {
  const line = await customer.connect("vapi");
  const say = (role: string, message: string, from: number) => {
    return { role, message, time: from, endTime: from + 2, secondsFromStart: from };
  };
  await line.own({
    message: {
      type: "end-of-call-report",
      timestamp: Date.now(),
      endedReason: "customer-ended-call",
      call: { id: newUuid(), type: "inboundPhoneCall" },
      artifact: {
        messages: [
          say("bot", "Good evening, this is the night desk.", 0),
          say("user", "I am locked out of my flat in Tel Aviv.", 3),
          say("bot", "A locksmith will be there in half an hour.", 6),
        ],
      },
    },
  });
  await customer.settled();
  return (await customer.calls())[0]?.id ?? "";
}
