// main.ts: Nest on Fastify
import "reflect-metadata";
import { Body, Controller, Get, Module, Post } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { makeGeneratorFromEnv } from "bitflake";
import { memory } from "bitflake/backend";
import { idempotency, rateLimit } from "bitflake/fastify";
import { addressKey, RateLimit } from "bitflake/ratelimit";
import { writeIds } from "bitflake/text";
import type { FastifyRequest } from "fastify";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID

@Controller("orders")
class OrdersController {
  @Post()
  create(@Body("cents") cents: number) {
    return { id: ids.nextId(), cents };
  }

  @Get()
  list() {
    return [];
  }
}

@Module({ controllers: [OrdersController] })
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
const backend = memory(); // or the store that your processes share
const limiter = new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 });
await app.register(rateLimit, { limiter, key: (_, request: FastifyRequest) => addressKey(request.ip) });
await app.register(idempotency, {
  backend,
  name: "shop",
  tenant: (_, request: FastifyRequest) => String(request.headers["x-account"]), // set by your own proxy, for each request
});
app
  .getHttpAdapter()
  .getInstance()
  .setReplySerializer((payload) => JSON.stringify(payload, writeIds)); // IDs are text in JSON
await app.listen(process.env.PORT ?? 3000);
