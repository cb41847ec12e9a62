// main.ts
import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { writeIds } from "bitflake/text";
import { AppModule } from "./app.module.js";

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.set("json replacer", writeIds); // IDs are text in JSON
app.enableShutdownHooks(); // on SIGTERM and SIGINT, so that the node is released
await app.listen(process.env.PORT ?? 3000);
