// bitflake/mask: IDs that hide their time and node from the outside, and IDs that spread over a database.

export { ArgumentError, type IdRange, InvalidIdError } from "../internal.ts";
export { type MaskedCodec, type MaskKey, type MaskKeys, type MaskOptions, masked } from "./masked.ts";
export { type ScatterCodec, type ScatterOptions, scatter } from "./scatter.ts";
