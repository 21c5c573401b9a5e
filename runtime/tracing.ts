import type { Log } from './log.ts';

/** What a span says. Attributes are codes and names of our own: never an identifier of a person, a URL or content. */
export interface SpanDescription {
  readonly name: string;
  /** SERVER: a request of somebody else; CLIENT: one of ours; CONSUMER: work that Temporal has handed out. */
  readonly kind: 'SERVER' | 'CLIENT' | 'CONSUMER';
  readonly attributes?: Attributes;
}

/** Attributes of a span, by the names of OpenTelemetry's conventions where there is one. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A span while its work is done. */
export interface SpanInProgress {
  readonly add: (attributes: Attributes) => void;
  /** Gives it another name, with what has become known. */
  readonly rename: (name: string) => void;
}

/** The traces of a process. */
export interface Tracing {
  /**
   * Does work in a span of the current correlation, below the span that it is called in. An error ends the span as failed,
   * with the error's name only.
   */
  inSpan<Result>(
    span: SpanDescription,
    work: (inProgress: SpanInProgress) => Promise<Result>,
  ): Promise<Result>;
  /** The header `traceparent` for a request that is sent in the current span; nothing outside of one. */
  headers(): Readonly<Record<string, string>>;
  /** Sends what is left. To be called last. */
  close(): Promise<void>;
}

/** Traces nothing. */
export const noTracing: Tracing = {
  inSpan: (_, work) => work({ add: () => {}, rename: () => {} }),
  headers: () => ({}),
  close: () => Promise.resolve(),
};

/** Where traces go, by the names of OpenTelemetry's environment variables. */
export interface TracingSettings {
  /** Without it nothing is traced. */
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  /** The share of traces that is kept. Default: all. */
  readonly OTEL_TRACES_SAMPLER_ARG?: number | undefined;
}

/** Starts the traces of a process. OpenTelemetry is loaded only if they go somewhere. */
export async function startTracing(
  processName: string,
  settings: TracingSettings,
  log: Log,
): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: share = 1 } = settings;
  if (endpoint === undefined) return noTracing;
  const { createTracing } = await import('./open-telemetry.ts');
  return createTracing(processName, endpoint, share, log);
}
