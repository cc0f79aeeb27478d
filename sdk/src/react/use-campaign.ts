import type { Campaign } from "../contract.ts";
import { useAftercall } from "./provider.tsx";
import { useAnswer } from "./use-answer.ts";
import type { LiveOption } from "./use-call.ts";
import { useLive } from "./use-live.ts";

export type CampaignState = {
  readonly campaign: Campaign | null;
  readonly loading: boolean;
  readonly error: unknown;
  readonly refresh: () => void;
};

/** A campaign with its progress. With `live` it counts along; at most one request is under way, however fast its calls end. */
export function useCampaign(id: string, { live = false }: LiveOption = {}): CampaignState {
  const client = useAftercall();
  const { answer, loading, error, refresh, reload, patch } = useAnswer({
    source: client,
    key: id,
    load: (signal) => client.getCampaign(id, { signal }),
  });
  useLive(live ? `campaign:${id}` : null, reload, (item) => {
    if (item.event === "campaign") patch(() => item.data.campaign);
    else reload();
  });
  return { campaign: answer, loading, error, refresh };
}
