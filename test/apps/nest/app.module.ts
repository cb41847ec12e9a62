// app.module.ts
import { hostname } from "node:os";
import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from "@nestjs/common";
import { idempotency } from "bitflake/express";
import { RateLimit } from "bitflake/ratelimit";
import { IdsModule } from "./ids.module.js";
import { OrdersController } from "./orders.controller.js";
import { Store, StoreModule } from "./store.module.js";

@Module({
  imports: [
    StoreModule,
    IdsModule.forRootAsync({
      inject: [Store],
      useFactory: ({ backend }: Store) => ({
        backend,
        name: "orders",
        holder: `${hostname()} ${process.pid}`, // for inspect()
        onExpired: "reacquire",
        waitMs: 60_000, // for a node, or for a Redis that has just come up
      }),
    }),
  ],
  controllers: [OrdersController],
  providers: [
    {
      provide: RateLimit,
      inject: [Store],
      useFactory: ({ backend }: Store) =>
        new RateLimit({ backend, name: "api", limit: 100, windowMs: 60_000 }),
    },
  ],
})
export class AppModule implements NestModule {
  constructor(private readonly store: Store) {}

  configure(consumer: MiddlewareConsumer) {
    const { backend } = this.store;
    consumer
      .apply(
        // set by your own proxy, for each request
        idempotency({ backend, name: "shop", tenant: (_, req) => String(req.headers["x-account"]) }),
      )
      .forRoutes({ path: "orders", method: RequestMethod.POST });
  }
}
