import { z } from "zod";

export const LanguageCode = z.string().min(2).max(35).meta({ description: "BCP 47: `en`, `he`, `pt-BR`." });
