// server.ts
import { initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { makeGeneratorFromEnv } from "bitflake";
import { idSchema } from "bitflake/text";
import superjson from "superjson";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID
const t = initTRPC.create({ transformer: superjson });

const appRouter = t.router({
  createOrder: t.procedure.mutation(() => ({ id: ids.nextId() })),
  order: t.procedure.input(idSchema("twitter")).query(({ input }) => ({ id: input, next: input + 1n })),
});
export type AppRouter = typeof appRouter;

createHTTPServer({ router: appRouter }).listen(Number(process.env.PORT ?? 3000));
