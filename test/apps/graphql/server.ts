// server.ts
import { createServer } from "node:http";
import { makeGeneratorFromEnv } from "bitflake";
import { toNodeListener } from "bitflake/node";
import { GraphQLNonNull, GraphQLObjectType, GraphQLSchema, graphql } from "graphql";
import { SnowflakeID } from "./id-scalar.js";

const ids = makeGeneratorFromEnv("twitter", { required: true }); // FLAKEID_DATACENTER_ID, FLAKEID_MACHINE_ID
const id = { type: new GraphQLNonNull(SnowflakeID) };
const Order = new GraphQLObjectType({ name: "Order", fields: { id } });

const query = new GraphQLObjectType({
  name: "Query",
  fields: { order: { type: Order, args: { id }, resolve: (_, args: { id: bigint }) => ({ id: args.id }) } },
});
const mutation = new GraphQLObjectType({
  name: "Mutation",
  fields: { createOrder: { type: Order, resolve: () => ({ id: ids.nextId() }) } },
});
const schema = new GraphQLSchema({ query, mutation });

const listener = toNodeListener(async (request) => {
  const { query, variables } = await request.json();
  return Response.json(await graphql({ schema, source: query, variableValues: variables }));
});
createServer(listener).listen(Number(process.env.PORT ?? 3000));
