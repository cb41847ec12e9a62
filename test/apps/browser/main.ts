// A page that takes an ID apart. Its bundle has the functions it uses, and nothing of Node.

import { decode, nextId, uuidv7 } from "bitflake";
import { base58 } from "bitflake/text";

export function timeOf(message: string): string {
  return decode(message, "discord").generatedAt;
}

export const shortId = (): string => base58.encode(nextId());
export const requestId = (): string => uuidv7();
