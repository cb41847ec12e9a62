// Counts of what the service does, in the text format of Prometheus.

/** The upper bounds of the histogram, in seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What is known of one route. */
interface RouteStats {
  readonly statuses: Map<number, number>;
  readonly buckets: number[];
  sum: number;
  count: number;
}

/** A value as it is when it is read: a sample, and what it is about. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** A name of a route or type, none of which has a line break. */
function escaped(text: string): string {
  return text.replace(/[\\"]/g, "\\$&");
}

function writeSample(name: string, labels: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(String(value))}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(",")}}` : name;
}

/** Counts requests by route and status, their durations, and IDs by kind. */
export class Metrics {
  readonly #routes = new Map<string, RouteStats>();
  readonly #ids = new Map<string, number>();

  /** A request was answered. */
  countRequest(route: string, status: number, seconds: number): void {
    let tally = this.#routes.get(route);
    if (!tally) {
      tally = { statuses: new Map(), buckets: BOUNDS.map(() => 0), sum: 0, count: 0 };
      this.#routes.set(route, tally);
    }
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
    tally.sum += seconds;
    tally.count++;
    let at = 0;
    while (at < BOUNDS.length && seconds > (BOUNDS[at] as number)) at++;
    if (at < BOUNDS.length) tally.buckets[at] = (tally.buckets[at] as number) + 1;
  }

  /** IDs were given out. */
  countIds(kind: string, count: number): void {
    this.#ids.set(kind, (this.#ids.get(kind) ?? 0) + count);
  }

  /** Writes all of it, and what is as it is now. */
  write(gauges: readonly Gauge[]): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string) =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    family("bitflake_requests_total", "counter", "Requests answered.");
    for (const [route, { statuses }] of this.#routes) {
      for (const [status, count] of statuses) {
        lines.push(`${writeSample("bitflake_requests_total", { route, status })} ${count}`);
      }
    }
    const name = "bitflake_request_duration_seconds";
    family(name, "histogram", "How long an answer took.");
    for (const [route, { buckets, sum, count }] of this.#routes) {
      let below = 0;
      for (const [at, bound] of BOUNDS.entries()) {
        below += buckets[at] ?? 0;
        lines.push(`${writeSample(`${name}_bucket`, { route, le: bound })} ${below}`);
      }
      lines.push(
        `${writeSample(`${name}_bucket`, { route, le: "+Inf" })} ${count}`,
        `${writeSample(`${name}_sum`, { route })} ${sum}`,
        `${writeSample(`${name}_count`, { route })} ${count}`,
      );
    }
    family("bitflake_ids_total", "counter", "IDs given out.");
    for (const [kind, count] of this.#ids)
      lines.push(`${writeSample("bitflake_ids_total", { kind })} ${count}`);
    for (const { name, help, samples } of gauges) {
      family(name, "gauge", help);
      for (const { labels = {}, value } of samples) lines.push(`${writeSample(name, labels)} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
