import { bilingualScript, layOut } from "./calls.ts";
import { muLawWav, stereo } from "./files.ts";

/** The call that most tests hear: English and Hebrew, 13 s. */
export const knownCall = layOut(bilingualScript);

/** As telephone systems record it: µ-law, the customer on the left, the agent on the right. */
export const knownWav = muLawWav(stereo(knownCall));
