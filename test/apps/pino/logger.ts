// logger.ts
import { pino } from "pino";

const asText = (value: unknown) => (typeof value === "bigint" ? String(value) : value);

export const logger = pino({
  formatters: {
    log: (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, asText(value)])),
  },
  serializers: { requestId: asText }, // for logger.child({ requestId }), which no formatter sees
});
