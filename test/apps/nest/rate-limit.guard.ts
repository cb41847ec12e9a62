// rate-limit.guard.ts
import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  HttpStatus,
  Injectable,
} from "@nestjs/common";
import { addressKey, RateLimit, rateLimitHeaders } from "bitflake/ratelimit";
import type { Request, Response } from "express";

@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limiter: RateLimit) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const decision = await this.limiter.limit(addressKey(http.getRequest<Request>().ip ?? "0.0.0.0"));
    http.getResponse<Response>().set(rateLimitHeaders(this.limiter, decision));
    if (!decision.allowed) throw new HttpException("Too many requests", HttpStatus.TOO_MANY_REQUESTS);
    return true;
  }
}
