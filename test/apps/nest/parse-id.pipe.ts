// parse-id.pipe.ts
import { type ArgumentMetadata, BadRequestException, Injectable, type PipeTransform } from "@nestjs/common";
import { InvalidIdError, parseId } from "bitflake";

@Injectable()
export class ParseIdPipe implements PipeTransform<unknown, bigint> {
  transform(value: unknown, { data = "value" }: ArgumentMetadata): bigint {
    try {
      return parseId(value);
    } catch (error) {
      if (error instanceof InvalidIdError) throw new BadRequestException(`${data}: ${error.message}`);
      throw error;
    }
  }
}
