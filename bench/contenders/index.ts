import { delivery, intake } from "./aftercall.ts";
import { alternative, alternativeDelivery } from "./alternative.ts";
import { bare } from "./bare.ts";

export const contenders = [bare, alternative, intake, alternativeDelivery, delivery] as const;
