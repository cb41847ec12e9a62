// id-scalar.ts
import { parseId } from "bitflake";
import { GraphQLError, GraphQLScalarType, Kind } from "graphql";

/** An ID: a bigint in resolvers, text in JSON. */
export const SnowflakeID = new GraphQLScalarType<bigint, string>({
  name: "SnowflakeID",
  description: "A Snowflake ID, as decimal text.",
  serialize: (value) => String(parseId(value)),
  parseValue: (value) => parseId(value),
  parseLiteral(node) {
    if (node.kind !== Kind.STRING && node.kind !== Kind.INT)
      throw new GraphQLError("SnowflakeID must be text");
    return parseId(node.value);
  },
});
