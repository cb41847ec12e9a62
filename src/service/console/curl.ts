// The curl command that sends a request, quoted for a POSIX shell.

/** A request to write as a command. */
export interface CurlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string | undefined;
  /** Whether it needs an API key: the command reads it from a variable, so that it can be shared. */
  readonly needsKey: boolean;
}

/** Quotes a text for a POSIX shell, if it has characters that a shell could interpret. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns the command of a request. */
export function curlCommand({ method, url, headers, body, needsKey }: CurlRequest): string {
  const words = ["curl", "-sS"];
  if (method !== "GET") words.push("-X", method);
  // Without it, braces and brackets are patterns.
  if (/[{}[\]]/.test(url)) words.push("-g");
  words.push(shellQuote(url));
  if (needsKey) words.push("-H", '"Authorization: Bearer $BITFLAKE_KEY"');
  for (const [name, value] of headers) {
    // curl leaves out a header with a colon and no value, and sends an empty one with a semicolon.
    words.push("-H", shellQuote(value === "" ? `${name};` : `${name}: ${value}`));
  }
  if (body !== undefined && body !== "") words.push("--data-raw", shellQuote(body));
  return words.join(" ");
}
