// client.ts
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";
import type { AppRouter } from "./server.js";

const url = `http://localhost:${process.env.PORT ?? 3000}`;
export const client = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url, transformer: superjson })],
});
