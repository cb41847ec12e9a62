// store.module.ts: the client of the store
import { Global, Module, type OnApplicationShutdown } from "@nestjs/common";
import { fromIORedis } from "bitflake/backend";
import { Redis } from "ioredis";

export class Store implements OnApplicationShutdown {
  private readonly redis = new Redis(process.env.REDIS_URL ?? "redis://localhost:6379");
  readonly backend = fromIORedis(this.redis);

  constructor() {
    this.redis.on("error", console.error);
  }

  onApplicationShutdown() {
    this.redis.disconnect();
  }
}

@Global()
@Module({ providers: [Store], exports: [Store] })
export class StoreModule {}
