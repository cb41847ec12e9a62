// orders.controller.ts
import { Body, Controller, Get, Param, Post, StandardSchemaValidationPipe, UseGuards } from "@nestjs/common";
import { idSchema } from "bitflake/text";
import { Ids } from "./ids.module.js";
import { ParseIdPipe } from "./parse-id.pipe.js";
import { RateLimitGuard } from "./rate-limit.guard.js";

const customerSchema = { schema: idSchema("twitter"), pipes: [StandardSchemaValidationPipe] };

@Controller("orders")
@UseGuards(RateLimitGuard)
export class OrdersController {
  constructor(private readonly ids: Ids) {}

  @Post()
  create(@Body("customerId", customerSchema) customerId: bigint, @Body("cents") cents: number) {
    return { id: this.ids.nextId(), customerId, cents };
  }

  @Get(":id")
  read(@Param("id", ParseIdPipe) id: bigint) {
    return { id };
  }
}
