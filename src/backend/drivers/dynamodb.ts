// Adapter for DynamoDB: a table, by the document client of @aws-sdk/lib-dynamodb 3.

import { ArgumentError, freshToken } from "../../internal.ts";
import { resolvePortSettings } from "../portSettings.ts";
import type { Cell, CellPort, PortSettings } from "../ports.ts";

/** A `DynamoDBDocument` of `@aws-sdk/lib-dynamodb`: the methods that the adapter calls. */
export interface DynamoDBDocumentClient {
  /** Reads an item. */
  get(input: { TableName: string; Key: Record<string, string>; ConsistentRead: boolean }): Promise<{
    /** The item; `undefined` if there is none. */
    Item?: Record<string, unknown> | undefined;
  }>;
  /** Writes an item if a condition holds. */
  put(input: {
    TableName: string;
    Item: Record<string, string | number>;
    ConditionExpression: string;
    ExpressionAttributeValues: Record<string, string | number>;
  }): Promise<unknown>;
  /** Reads the items of a partition, page by page. */
  query(input: {
    TableName: string;
    ConsistentRead: boolean;
    KeyConditionExpression: string;
    ExpressionAttributeValues: Record<string, string>;
    ExclusiveStartKey: Record<string, unknown> | undefined;
  }): Promise<{
    /** The items of this page. */
    Items?: Record<string, unknown>[] | undefined;
    /** The key to go on from; `undefined` after the last page. */
    LastEvaluatedKey?: Record<string, unknown> | undefined;
  }>;
}

/** Options of the adapter for DynamoDB. */
export interface DynamoDBSettings extends PortSettings {
  /** The name of the table. */
  readonly table: string;
}

/** How long an item is kept after its end, in seconds. Clocks of processes differ, and the table's time to live has its own. */
const GRACE_S = 3600;

/** The sort key of a key that is only prefix, feature and name. */
const NO_SORT_KEY = "-";

/** Asserts that a call was sent. Version 2 of the SDK returns a request without sending it, and a write would seem to be done. */
function assertSent<T>(call: Promise<T>): Promise<T> {
  if (typeof (Object(call) as { then?: unknown }).then === "function") return call;
  throw new ArgumentError("client", "a DynamoDBDocument of @aws-sdk/lib-dynamodb 3", call);
}

/** Returns the cell of an item. An item that has ended is there until DynamoDB deletes it. */
function cellOf(item: Record<string, unknown> | undefined): Cell {
  const { endsMs, cell, version } = item ?? {};
  // A client may be set to return numbers as objects with a text, and to write an empty text as null.
  const ends = endsMs === undefined ? Infinity : Number((endsMs as { value?: unknown }).value ?? endsMs);
  if (item === undefined || ends <= Date.now()) return { value: undefined, version: "" };
  return { value: (cell ?? "") as string, version: version as string };
}

/**
 * Creates a port from a table of DynamoDB, by a `DynamoDBDocument` of `@aws-sdk/lib-dynamodb` 3.
 *
 * The table has the partition key `pk` and the sort key `sk`, both texts, and `expires` as its time to live. DynamoDB has no
 * clock that conditions can read, so times are those of the processes. Reads are consistent. A read and a swap are one call
 * each, and a swap that loses is two.
 *
 * @param client your client: `DynamoDBDocument.from(new DynamoDBClient())`
 * @param options `table`; `prefix` of the partition keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts dynamodb
 * import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
 * import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
 * import { fromDynamoDB } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * const client = DynamoDBDocument.from(new DynamoDBClient());
 * const backend = fromDynamoDB(client, { table: "bitflake" });
 * const orders = new Counter({ backend, name: "orders" });
 * typeof (await orders.next()); // => 'bigint'
 * client.destroy();
 * ```
 */
export function fromDynamoDB(client: DynamoDBDocumentClient, options: DynamoDBSettings): CellPort {
  const settings = resolvePortSettings(client, "put", options, "table");
  const { table: TableName } = options;
  if (typeof TableName !== "string" || TableName === "")
    throw new ArgumentError("table", "the name of a table", TableName);
  /** Divides a key: its partition is prefix, feature and name, so that a list of what a name has is in one. */
  const itemKey = (key: string): Record<"pk" | "sk", string> => {
    const start = key.startsWith(`${settings.prefix}:`) ? settings.prefix.length + 1 : 0;
    const feature = key.indexOf(":", start);
    const name = feature < 0 ? -1 : key.indexOf(":", feature + 1);
    // With the colon, because a sort key is never empty.
    return name < 0 ? { pk: key, sk: NO_SORT_KEY } : { pk: key.slice(0, name), sk: key.slice(name) };
  };
  const read = async (key: string) =>
    cellOf((await assertSent(client.get({ TableName, Key: itemKey(key), ConsistentRead: true }))).Item);
  return {
    ...settings,
    read,
    async swap(key, version, value, keepMs) {
      const nowMs = Date.now();
      const token = freshToken();
      const endsMs = keepMs === undefined ? undefined : nowMs + Math.ceil(keepMs);
      const condition =
        version === ""
          ? "attribute_not_exists(pk) OR endsMs <= :now"
          : "version = :version AND (attribute_not_exists(endsMs) OR endsMs > :now)";
      try {
        await assertSent(
          client.put({
            TableName,
            Item: {
              ...itemKey(key),
              cell: value,
              version: token,
              ...(endsMs !== undefined && { endsMs, expires: Math.ceil(endsMs / 1000) + GRACE_S }),
            },
            ConditionExpression: condition,
            ExpressionAttributeValues: { ":now": nowMs, ...(version !== "" && { ":version": version }) },
          }),
        );
        return { ...cellOf({ cell: value, version: token, endsMs }), swapped: true };
      } catch (error) {
        if ((error as { name?: unknown }).name !== "ConditionalCheckFailedException") throw error;
      }
      const cell = await read(key);
      // The client sends again what had no answer, and so loses to itself.
      return { ...cell, swapped: cell.version === token };
    },
    async list(prefix) {
      const { pk, sk } = itemKey(prefix);
      if (sk === NO_SORT_KEY)
        throw new ArgumentError("prefix", "that of a name, as in bitflake:lease:orders:", prefix);
      const cells = [];
      let start: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await assertSent(
          client.query({
            TableName,
            ConsistentRead: true,
            KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
            ExclusiveStartKey: start,
          }),
        );
        for (const item of Items) cells.push({ key: pk + item["sk"], ...cellOf(item) });
        start = LastEvaluatedKey;
      } while (start);
      return cells.filter(({ version }) => version !== "");
    },
  };
}
