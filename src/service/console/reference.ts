// The API reference: an OpenAPI document as HTML without scripts.

import { curlCommand } from "./curl.ts";
import {
  type ApiOperation,
  type ApiParameter,
  type ApiResponse,
  buildTarget,
  describeValues,
  groupByTag,
  type Json,
  readOperations,
} from "./operations.ts";
import { schemaText } from "./schemaText.ts";

/** The address in examples, if the document names none. */
const EXAMPLE_URL = "http://localhost:3000";

/** Escapes text for HTML and for values of attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Returns paragraphs of a text. Between backquotes it is code. */
function paragraphs(text: string): string {
  return text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join("\n");
}

function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function block(text: string): string {
  return `<pre class="shape">${escapeHtml(text)}</pre>`;
}

function renderParameter(parameter: ApiParameter): string {
  const { location, name, description, isRequired, schema } = parameter;
  const facts = [
    location,
    describeValues(parameter),
    isRequired ? "required" : "optional",
    ...(schema["default"] === undefined ? [] : [`default ${String(schema["default"])}`]),
  ];
  return `<div><dt><code>${escapeHtml(name)}</code> <span class="hint">${escapeHtml(facts.join(", "))}</span></dt>
<dd>${inline(description)}</dd></div>`;
}

function renderResponse(
  document: Json,
  { status, description, contentType, schema, example }: ApiResponse,
): string {
  const type = contentType === "" ? "" : ` <span class="hint">${escapeHtml(contentType)}</span>`;
  const shown: string[] = [];
  if (schema !== undefined) shown.push(block(schemaText(document, schema)));
  if (example !== undefined) {
    const text = typeof example === "string" ? example : JSON.stringify(example, null, 2);
    shown.push(`<p class="hint">Example</p>${block(text)}`);
  }
  const title = `<strong>${escapeHtml(status)}</strong>${type} ${inline(description)}`;
  if (shown.length === 0) return `<p class="response">${title}</p>`;
  // Failures have the same shape nearly everywhere.
  const isOpen = status.startsWith("2") ? " open" : "";
  return `<details class="response"${isOpen}><summary>${title}</summary>${shown.join("\n")}</details>`;
}

/** Returns the command that sends a request with the examples of the document. */
function exampleCommand(operation: ApiOperation, url: string): string {
  const values = new Map<string, string>();
  for (const { location, name, example } of operation.parameters) {
    if (location === "path") values.set(`path ${name}`, example ?? name.toUpperCase());
  }
  const { method, needsKey } = operation;
  return curlCommand({ method, url: `${url}${buildTarget(operation, values)}`, headers: [], needsKey });
}

/** The facts that all operations of a document have in common. */
interface Context {
  readonly document: Json;
  readonly url: string;
  /** Whether some operation needs an API key. */
  readonly hasKeys: boolean;
}

function renderOperation({ document, url, hasKeys }: Context, operation: ApiOperation): string {
  const { method, path, id, summary, description, needsKey, parameters, responses } = operation;
  const pieces = [
    `<h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${escapeHtml(path)}</code></h3>`,
    paragraphs(summary),
    paragraphs(description),
    hasKeys && !needsKey ? `<p class="hint">Needs no API key.</p>` : "",
    block(exampleCommand(operation, url)),
  ];
  if (parameters.length > 0) {
    pieces.push(
      `<h4>Parameters</h4>\n<dl class="parameters">${parameters.map(renderParameter).join("\n")}</dl>`,
    );
  }
  const rendered = responses.map((response) => renderResponse(document, response));
  pieces.push(`<h4>Responses</h4>\n${rendered.join("\n")}`);
  return `<article id="${escapeHtml(id)}">${pieces.filter((piece) => piece !== "").join("\n")}</article>`;
}

/** Returns the absolute address of the document's first server, or an example. */
function serverUrl(document: Json): string {
  const [first] = Array.isArray(document["servers"]) ? document["servers"] : [];
  const url = textOf((first as Json | undefined)?.["url"]);
  return /^https?:\/\//.test(url) ? url.replace(/\/$/, "") : EXAMPLE_URL;
}

/** Returns the body of the page. */
export function renderReference(document: Json): string {
  const info = (document["info"] ?? {}) as Json;
  const operations = readOperations(document);
  const groups = [...groupByTag(operations)];
  const hasKeys = operations.some(({ needsKey }) => needsKey);
  const context = { document, url: serverUrl(document), hasKeys };
  const contents = groups.map(
    ([tag, members]) =>
      `${tag === "" ? "" : `<p class="hint">${escapeHtml(tag)}</p>`}<ul>${members
        .map(
          ({ id, method, path }) =>
            `<li><a href="#${escapeHtml(id)}"><span class="method ${method.toLowerCase()}">${method}</span> ${escapeHtml(path)}</a></li>`,
        )
        .join("\n")}</ul>`,
  );
  const sections = groups.map(
    ([tag, members]) =>
      `<section><h2>${escapeHtml(tag === "" ? "Routes" : tag)}</h2>${members
        .map((operation) => renderOperation(context, operation))
        .join("\n")}</section>`,
  );
  return `<a class="skip" href="#main">Skip to the routes</a>
<header class="bar">
<h1>bitflake <span>API reference</span></h1>
<nav aria-label="Pages"><a href="./">Console</a> <a href="openapi.json">OpenAPI document</a></nav>
</header>
<div class="reference">
<nav aria-label="Routes">
${contents.join("\n")}
</nav>
<main id="main" tabindex="-1">
<section>
<p>Version ${escapeHtml(textOf(info["version"]))}. ${inline(textOf(info["summary"]))}</p>
${paragraphs(textOf(info["description"]))}
<p>${
    hasKeys
      ? "This service has API keys: send one as <code>Authorization: Bearer</code> or <code>X-API-Key</code>. The commands read it from the variable <code>BITFLAKE_KEY</code>."
      : "This service needs no API key."
  } Errors are problem documents, <code>application/problem+json</code>, with a <code>code</code>.</p>
</section>
${sections.join("\n")}
</main>
</div>`;
}
