// Metrics: requests, durations and IDs, in the text format of Prometheus.

/** The upper bounds of the histogram's buckets, in seconds. */
const BUCKET_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface RouteStats {
  readonly statuses: Map<number, number>;
  readonly buckets: number[];
  sumSeconds: number;
  count: number;
}

/** A metric that is read when the metrics are written. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** Escapes a label's value. Names of routes and types have no line break. */
function escapeLabel(text: string): string {
  return text.replace(/[\\"]/g, "\\$&");
}

function writeSample(name: string, labels: Readonly<Record<string, string | number>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(",")}} ${value}` : `${name} ${value}`;
}

function writeHeader(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}`;
}

/** Counts requests by route and status, their durations, and IDs by kind. */
export class Metrics {
  readonly #routes = new Map<string, RouteStats>();
  readonly #ids = new Map<string, number>();

  /** Counts an answered request. */
  countRequest(route: string, status: number, seconds: number): void {
    let stats = this.#routes.get(route);
    if (!stats) {
      stats = { statuses: new Map(), buckets: BUCKET_BOUNDS.map(() => 0), sumSeconds: 0, count: 0 };
      this.#routes.set(route, stats);
    }
    stats.statuses.set(status, (stats.statuses.get(status) ?? 0) + 1);
    stats.sumSeconds += seconds;
    stats.count++;
    let bucket = 0;
    while (bucket < BUCKET_BOUNDS.length && seconds > (BUCKET_BOUNDS[bucket] as number)) bucket++;
    if (bucket < BUCKET_BOUNDS.length) stats.buckets[bucket] = (stats.buckets[bucket] as number) + 1;
  }

  /** Counts issued IDs. */
  countIds(kind: string, count: number): void {
    this.#ids.set(kind, (this.#ids.get(kind) ?? 0) + count);
  }

  /** Writes all metrics, and these gauges. */
  write(gauges: readonly Gauge[]): string {
    const lines = [...this.#writeRequests(), ...this.#writeDurations(), ...this.#writeIds()];
    for (const { name, help, samples } of gauges) {
      lines.push(writeHeader(name, "gauge", help));
      for (const { labels = {}, value } of samples) lines.push(writeSample(name, labels, value));
    }
    return `${lines.join("\n")}\n`;
  }

  #writeRequests(): string[] {
    const name = "bitflake_requests_total";
    const lines = [writeHeader(name, "counter", "Requests answered.")];
    for (const [route, { statuses }] of this.#routes) {
      for (const [status, count] of statuses) lines.push(writeSample(name, { route, status }, count));
    }
    return lines;
  }

  #writeDurations(): string[] {
    const name = "bitflake_request_duration_seconds";
    const lines = [writeHeader(name, "histogram", "Time from a request to its response.")];
    for (const [route, { buckets, sumSeconds, count }] of this.#routes) {
      let cumulative = 0;
      for (const [index, bound] of BUCKET_BOUNDS.entries()) {
        cumulative += buckets[index] ?? 0;
        lines.push(writeSample(`${name}_bucket`, { route, le: bound }, cumulative));
      }
      lines.push(
        writeSample(`${name}_bucket`, { route, le: "+Inf" }, count),
        writeSample(`${name}_sum`, { route }, sumSeconds),
        writeSample(`${name}_count`, { route }, count),
      );
    }
    return lines;
  }

  #writeIds(): string[] {
    const name = "bitflake_ids_total";
    const lines = [writeHeader(name, "counter", "IDs issued.")];
    for (const [kind, count] of this.#ids) lines.push(writeSample(name, { kind }, count));
    return lines;
  }
}
