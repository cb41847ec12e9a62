// The pages of the service for people: the console and the API reference. Loaded when one of them is requested.

import type { Json } from "./operations.ts";
import { BODY, ICON, SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from "./page.generated.ts";
import { renderReference } from "./reference.ts";

/** A page, and the headers that it must have. */
export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the headers of a page that loads nothing, and sends requests to its own origin alone. */
function pageHeaders(directives: readonly string[]): Page["headers"] {
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_HASH}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...directives,
  ];
  return {
    "content-security-policy": policy.join("; "),
    "referrer-policy": "no-referrer",
  };
}

function writePage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** Returns the console. It is the same for every service: its script reads /status and /openapi.json. */
export function consolePage(): Page {
  const html = writePage("bitflake console", `${BODY}\n<script type="module">${SCRIPT}</script>`);
  return { html, headers: pageHeaders([`script-src ${SCRIPT_HASH}`, "connect-src 'self'"]) };
}

/** Returns the API reference of an OpenAPI document. */
export function referencePage(document: Json): Page {
  return { html: writePage("bitflake API reference", renderReference(document)), headers: pageHeaders([]) };
}
