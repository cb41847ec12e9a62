// Decimal lines as IDs in two halves: no BigInt is created, so millions of lines take seconds.

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const ZERO = 48;

/** The most digits of an ID. */
const MAX_DIGITS = 19;

/** How many characters of a line are kept until its end comes. */
const MAX_LINE = 64;

/** How many characters of a line that is no ID are reported. */
const MAX_EXAMPLE = 40;

const BYTE_ORDER_MARK = "\ufeff";

/** 10^14 in halves of 32 bits. */
const HIGH_1E14 = 23_283;
const LOW_1E14 = 276_447_232;

/** The calls of a reader. */
export interface LineSink {
  /** Takes an ID in halves of 31 and 32 bits. */
  onId(high: number, low: number): void;
  /** Takes note of a line that is no ID. Of a long line it gets the beginning. */
  onInvalid(line: string): void;
}

/** Reads lines from chunks of text. A chunk may end in a line. */
export class LineReader {
  readonly #sink: LineSink;
  /** The beginning of a line whose end has not come. */
  #rest = "";
  #isFirst = true;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Reads the whole lines of a chunk. */
  write(chunk: string): void {
    let from = 0;
    if (this.#isFirst && chunk !== "") {
      this.#isFirst = false;
      if (chunk.startsWith(BYTE_ORDER_MARK)) from = 1;
    }
    let to = chunk.indexOf("\n", from);
    if (this.#rest !== "") {
      const line = this.#rest + chunk.slice(from, to < 0 ? undefined : to);
      if (to < 0) {
        this.#keep(line);
        return;
      }
      this.#rest = "";
      this.#readLine(line, 0, line.length);
      from = to + 1;
      to = chunk.indexOf("\n", from);
    }
    for (; to >= 0; to = chunk.indexOf("\n", from)) {
      this.#readLine(chunk, from, to);
      from = to + 1;
    }
    this.#keep(chunk.slice(from));
  }

  /** Reads the last line, which may have no end. */
  end(): void {
    const line = this.#rest;
    this.#rest = "";
    this.#readLine(line, 0, line.length);
  }

  /** Keeps the beginning of a line. Of blanks that it drops it keeps one; a line with more other characters is no ID. */
  #keep(line: string): void {
    if (line.length <= MAX_LINE) {
      this.#rest = line;
      return;
    }
    let from = 0;
    while (from < line.length && isBlank(line.charCodeAt(from))) from++;
    let to = line.length;
    while (to > from && isBlank(line.charCodeAt(to - 1))) to--;
    if (to - from > MAX_LINE) this.#rest = `${line.slice(from, from + MAX_EXAMPLE)}…`;
    // The blank keeps the digits of the next chunk apart from these.
    else this.#rest = to === from || to === line.length ? line.slice(from, to) : `${line.slice(from, to)} `;
  }

  /** Reads the line between two indexes. A line of spaces is none. */
  #readLine(text: string, first: number, end: number): void {
    let from = first;
    let to = end;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    const length = to - from;
    if (length === 0) return;
    if (length > MAX_DIGITS || (length > 1 && text.charCodeAt(from) === ZERO)) {
      this.#refuse(text, from, to);
      return;
    }
    // The upper 5, middle 7 and lower 7 digits are one small integer each, as in parse.ts.
    const middleAt = Math.max(to - 14, from);
    const lowerAt = Math.max(to - 7, from);
    const upper = readDigits(text, from, middleAt);
    const middle = readDigits(text, middleAt, lowerAt);
    const lower = readDigits(text, lowerAt, to);
    const low = upper * LOW_1E14 + middle * 1e7 + lower;
    const high = upper * HIGH_1E14 + Math.floor(low / 0x1_0000_0000);
    if (upper < 0 || middle < 0 || lower < 0 || high >= 0x8000_0000) this.#refuse(text, from, to);
    else this.#sink.onId(high, low >>> 0);
  }

  #refuse(text: string, from: number, to: number): void {
    this.#sink.onInvalid(
      to - from > MAX_EXAMPLE + 1 ? `${text.slice(from, from + MAX_EXAMPLE)}…` : text.slice(from, to),
    );
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === RETURN || code === NEWLINE || code === 9;
}

/** Reads the digits between two indexes; -1 if there is another character. */
function readDigits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
