// Generates Prisma's client as `prisma generate` does, without its command line, which downloads an engine that nothing here uses.
// In package.json another package has the place of @prisma/config, which nothing here uses either: it would bring 45 MB, and another
// fast-check before that of these tests.

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import type { PrismaDatamodel } from "../../../src/orm/prisma.ts";
import manifest from "../package.json" with { type: "json" };

// Required, because in 7.10 the generator's files for `import` name files that are not there. Without their types, because these
// lead to a hundred packages.
const require = createRequire(import.meta.url);
const { generateClient } = require("@prisma/client-generator-ts") as {
  generateClient(options: object): Promise<void>;
};
const { getDMMF } = require("@prisma/internals") as {
  getDMMF(options: { datamodel: string }): Promise<{ datamodel: PrismaDatamodel }>;
};

type Provider = "postgresql" | "mysql" | "sqlite";

/** A client that was generated. */
export interface Generated {
  readonly address: string;
  readonly folder: string;
  readonly datamodel: PrismaDatamodel;
}

/** A folder below node_modules, where the client finds its runtime. */
const folder = fileURLToPath(new URL("../node_modules/.bitflake/prisma", import.meta.url));

/**
 * Generates a client for the models of a schema.
 *
 * @param name of its folder, one for each test file, because these run at the same time
 * @returns the address of its module, its folder, where the types are too, and the data model
 */
export async function generatePrisma(name: string, provider: Provider, models: string): Promise<Generated> {
  const outputDir = join(folder, name, provider);
  rmSync(outputDir, { recursive: true, force: true });
  const datamodel = `generator client {
  provider = "prisma-client"
  output = "./generated"
  previewFeatures = ["relationJoins"]
}
datasource db {
  provider = "${provider}"
}
${models}`;
  const dmmf = await getDMMF({ datamodel });
  await generateClient({
    datamodel,
    dmmf,
    schemaPath: join(outputDir, "schema.prisma"),
    outputDir,
    runtimeBase: "@prisma/client/runtime",
    generator: {
      name: "client",
      provider: { value: "prisma-client", fromEnvVar: null },
      output: { value: outputDir, fromEnvVar: null },
      config: {},
      binaryTargets: [],
      previewFeatures: ["relationJoins"],
      sourceFilePath: join(outputDir, "schema.prisma"),
    },
    datasources: [{ name: "db", provider, activeProvider: provider, schemas: [], sourceFilePath: outputDir }],
    binaryPaths: {},
    engineVersion: "none",
    clientVersion: manifest.devDependencies["@prisma/client"],
    activeProvider: provider,
    target: "nodejs",
    generatedFileExtension: "ts",
    importFileExtension: "js",
    moduleFormat: "esm",
    tsNoCheckPreamble: true,
    compilerBuild: "small",
  });
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  for (const file of readdirSync(outputDir, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const path = join(outputDir, file);
    const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions: options });
    writeFileSync(path.replace(/\.ts$/, ".js"), outputText);
  }
  return {
    address: pathToFileURL(join(outputDir, "client.js")).href,
    folder: outputDir,
    datamodel: dmmf.datamodel,
  };
}
