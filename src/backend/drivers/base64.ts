// Base64 of text in UTF-8, for engines whose keys or values are bytes in JSON. ASCII needs no conversion, which is most of the
// time of a long list.

const ASCII = /^[\0-\x7f]*$/;

export function encodeBase64(text: string): string {
  if (ASCII.test(text)) return btoa(text);
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function decodeBase64(base64: string): string {
  const binary = atob(base64);
  if (ASCII.test(binary)) return binary;
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  // By default it would drop a U+FEFF at the start.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
