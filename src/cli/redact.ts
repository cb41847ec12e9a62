// Masks credentials in strings that are printed: store addresses hold passwords, and clients quote addresses in their errors.
// In doubt, more is masked than necessary.

/** Matches the start of a string that is one address, up to its password. */
const ADDRESS = /^[a-z][a-z0-9+.-]{0,30}:\/\/[^:]*:/i;

/** Matches the start of a string that is one address with a user and no password. Outside PostgreSQL, the user may be a token. */
const TOKEN = /^(?!postgres)([a-z][a-z0-9+.-]{0,30}:\/\/)[^:]*:?@/i;

/** Returns a string with the credentials of all addresses in it masked. */
export function maskCredentials(text: string): string {
  return (
    text
      // In PostgreSQL a user without a password is the name of a role; elsewhere it may be a token.
      .replace(/\b(?!postgres)([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s:]*:?@/gi, "$1***@")
      // Up to the last @, because users and passwords may contain @ unencoded.
      .replace(/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:]*):\S*@/gi, "$1:***@")
      // Every query parameter, because each client names its credentials differently. A masked value may be in quotes here.
      .replace(/([?&][^=&\s]+=)(?!\*\*\*)[^&\s]*/g, "$1***")
  );
}

/** Returns a string that may be one address, masked. Its user and password may have any length and any character. */
export function maskAddress(text: string): string {
  const [head] = ADDRESS.exec(text) ?? [];
  const at = text.lastIndexOf("@");
  if (TOKEN.test(text)) return maskCredentials(text.replace(TOKEN, "$1***@").slice(0, 4096));
  const rest = head !== undefined && at >= head.length ? `${head}***${text.slice(at)}` : text;
  return maskCredentials(rest.slice(0, 4096));
}

/** Returns a string from the command line for a message: masked, at most 64 characters, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(maskAddress(text).slice(0, 64));
}
