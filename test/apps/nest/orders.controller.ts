// orders.controller.ts
import { Body, Controller, Get, Param, Post, UseGuards } from "@nestjs/common";
import { Ids } from "./ids.module.js";
import { ParseIdPipe } from "./parse-id.pipe.js";
import { RateLimitGuard } from "./rate-limit.guard.js";

@Controller("orders")
@UseGuards(RateLimitGuard)
export class OrdersController {
  constructor(private readonly ids: Ids) {}

  @Post()
  create(@Body() { cents }: { cents: number }) {
    return { id: this.ids.nextId(), cents };
  }

  @Get(":id")
  read(@Param("id", ParseIdPipe) id: bigint) {
    return { id };
  }
}
