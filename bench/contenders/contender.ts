import type { Database } from "../machine/database.ts";
import type { Redis } from "../machine/redis.ts";

export type ContenderName = "bare" | "alternative" | "intake" | "alternative-delivery" | "delivery";

/** One way to take webhooks in. */
export type Contender = {
  readonly name: ContenderName;
  readonly title: string;
  /** Whether each webhook must come out again at the receiver. */
  readonly delivers: boolean;
  readonly needsRedis: boolean;
  start(surroundings: Surroundings): Promise<Running>;
};

export type Surroundings = {
  readonly database: Database;
  readonly redis: Redis | null;
  /** Where deliveries go. */
  readonly receiverUrl: string;
  readonly logLevel: string;
  /** Directory for processor profiles of aftercall; null: none. */
  readonly profileDir: string | null;
};

export type Running = {
  readonly port: number;
  readonly path: string;
  readonly secret: string;
  readonly pid: number;
  stop(): Promise<void>;
};
