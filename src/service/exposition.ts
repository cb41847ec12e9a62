// The text format of Prometheus, version 0.0.4.

/** The media type of the format. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A value of a metric. */
export interface Sample {
  /** What follows the metric's name in the sample's, such as `"_bucket"`. Default: nothing. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric with its samples. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  /** What it is, in one line. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

function writeLabel([name, value]: [string, string | number]): string {
  return `${name}="${String(value).replace(/[\\"\n]/g, (character) => ESCAPES[character] as string)}"`;
}

function writeValue(value: number): string {
  return Math.abs(value) === Infinity ? (value < 0 ? "-Inf" : "+Inf") : String(value);
}

/** Writes metrics. Each begins with its help and its type, also without a sample, so that a reader sees what exists. */
export function writeExposition(families: readonly Family[]): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { suffix = "", labels = {}, value } of samples) {
      const pairs = Object.entries(labels).map(writeLabel);
      const labelSet = pairs.length > 0 ? `{${pairs.join(",")}}` : "";
      lines.push(`${name}${suffix}${labelSet} ${writeValue(value)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
