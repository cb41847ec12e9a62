// The public types of bitflake/explain.

import {
  Audit,
  type AuditReport,
  type Explanation,
  explain,
  type Finding,
  type FindingKind,
  type IdFormatName,
} from "bitflake/explain";
import { expectTypeOf, test } from "vitest";

test("the types of explain and Audit", () => {
  expectTypeOf(explain).returns.toEqualTypeOf<Explanation[]>();
  expectTypeOf<Explanation["format"]>().toEqualTypeOf<IdFormatName>();
  expectTypeOf<Explanation["timestampMs"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Explanation["fields"]>().toEqualTypeOf<Readonly<Record<string, number | string>>>();
  expectTypeOf<Finding["kind"]>().toEqualTypeOf<FindingKind>();
  expectTypeOf<Audit["report"]>().returns.toEqualTypeOf<AuditReport>();
  expectTypeOf<AuditReport["findings"]>().toEqualTypeOf<readonly Finding[]>();

  // @ts-expect-error a number may have lost its last digits
  () => explain(1);
  // @ts-expect-error there is no such option
  () => explain("1", { now: 1 });
  // @ts-expect-error there is no such preset
  () => new Audit({ preset: "tweeter" });
});
