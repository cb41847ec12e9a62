// The farmer registry of docs/numeric-ids.md: the guide's programs in separate processes, on the built package and a real
// PostgreSQL.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NumericIdType } from "../../src/numeric/index.ts";
import { root } from "../docs/snippet.ts";
import { inOwnDatabase } from "./database.ts";
import { makeProject, programsOf } from "./programs.ts";

const programs = programsOf("docs/numeric-ids.md");
const guide = readFileSync(join(root, "docs/numeric-ids.md"), "utf8");
const [, json = ""] = /^```json\n(.*?)^```/ms.exec(guide) ?? [];

test("every program of the guide runs in this test", () => {
  const names = ["types.mjs", "prepare.mjs", "register.mjs", "look-up.mjs", "report.mjs", "accept.mjs"];
  expect(Object.keys(programs)).toEqual(names);
});

describe.skipIf(!process.env["DATABASE_URL"])("the registry", () => {
  const farmer = new NumericIdType({ name: "farmer", ...JSON.parse(json).farmer });
  const paper = farmer.generateIds(3);
  let folder = "";
  beforeAll(() => {
    folder = makeProject(
      { ...programs, "types.json": json, "paper.txt": `${paper.join("\n")}\n0815\n` },
      "pg",
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function run(program: string, ...args: string[]): Promise<string[]> {
    const child = spawn(process.execPath, [join(folder, program), ...args]);
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    expect(errors).toBe("");
    return out.trimEnd().split("\n");
  }

  test("opens, registers, looks up and reports", async () => {
    await inOwnDatabase(async () => {
      const [imported, ...progress] = await run("prepare.mjs");
      expect(imported).toBe("from paper: 3 taken, 0 known, 1 of another kind: 0815");
      // In steps of 500, minus IDs that were drawn twice.
      expect(progress.length).toBeGreaterThanOrEqual(4);
      expect(progress.at(-1)).toBe("2000 of 2000 available");
      // After another deployment everything is there.
      expect(await run("prepare.mjs")).toEqual(["from paper: 0 taken, 3 known, 1 of another kind: 0815"]);

      const [first = ""] = await run("register.mjs", "17", "Amina Diallo");
      const [second = ""] = await run("register.mjs", "18", "Moussa Sow");
      expect(farmer.validate(first).valid && farmer.validate(second).valid).toBe(true);
      expect(new Set([first, second, ...paper]).size).toBe(5);

      // The process ended between the two statements, and the form is registered again.
      const db = new pg.Client({ connectionString: process.env["DATABASE_URL"] });
      await db.connect();
      await db.query("DELETE FROM farmers WHERE id = $1", [first]);
      expect(await run("register.mjs", "17", "Amina Diallo")).toEqual([first]);
      expect(await run("register.mjs", "17", "Amina Diallo")).toEqual([first]);

      expect(await run("look-up.mjs", `${first.slice(0, 3)} ${first.slice(3, 6)}-${first.slice(6)}`)).toEqual(
        ["Amina Diallo"],
      );
      expect(await run("look-up.mjs", paper[0] as string)).toEqual(["nobody has that ID"]);
      const slip = `${first.slice(0, -1)}${(Number(first.at(-1)) + 1) % 10}`;
      expect((await run("look-up.mjs", slip))[0]).toMatch(
        /^not an ID: (.*; )?\d is not the check digit of the digits before it/,
      );

      const [farmers = "", households] = await run("report.mjs");
      expect(farmers).toMatch(/^farmer: 5 taken, about \d+ left$/);
      expect(households).toBe("household: 0 taken, 1790577 left");

      // A failover that lost nothing, and one that lost the row of an ID.
      expect(await run("accept.mjs")).toEqual(["nothing to accept"]);
      await db.query("UPDATE bitflake_id_types SET history = '1.00000001' WHERE type = 'farmer'");
      await db.query("UPDATE bitflake_ids SET taken = NULL, request = NULL WHERE id = $1", [first]);
      const [left, accepted] = await run("accept.mjs");
      expect(left).toMatch(/^1\.00000001 was left for \d+\.[0-9A-F]{8}$/);
      expect(accepted).toBe("accepted; 1 IDs were missing");
      expect(await run("register.mjs", "18", "Moussa Sow")).toEqual([second]);
      await db.end();
    });
  });
});
