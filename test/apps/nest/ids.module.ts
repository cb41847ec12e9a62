// ids.module.ts: a generator on a leased node
import {
  ConfigurableModuleBuilder,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from "@nestjs/common";
import { type Lease, type LeaseOptions, leaseNode } from "bitflake/lease";

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<LeaseOptions>()
  .setClassMethodName("forRoot")
  .setExtras({}, (definition) => ({ ...definition, global: true }))
  .build();

@Injectable()
export class Ids implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Ids.name);
  private lease: Lease | undefined;

  constructor(@Inject(MODULE_OPTIONS_TOKEN) private readonly options: LeaseOptions) {}

  async onModuleInit() {
    this.lease = await leaseNode(this.options);
    this.lease.onRenewalFailed((error) => this.logger.warn(`lease not renewed: ${error}`));
    this.lease.onLost((error) => this.logger.error(error.message));
    this.lease.onReacquired(({ node }) => this.logger.log(`IDs again, on node ${node}`));
  }

  nextId(): bigint {
    if (!this.lease) throw new Error("There are no IDs before onModuleInit of IdsModule.");
    return this.lease.generator.nextId();
  }

  /** Whether the process has a node: for a readiness probe. */
  get isReady(): boolean {
    return this.lease?.status().state === "held";
  }

  async onApplicationShutdown() {
    // If the store is down, the node is free when the lease ends.
    await this.lease?.release().catch((error) => this.logger.error(error));
  }
}

@Module({ providers: [Ids], exports: [Ids] })
export class IdsModule extends ConfigurableModuleClass {}
