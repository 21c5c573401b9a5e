import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import {
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  diag,
  trace,
} from '@opentelemetry/api';
import type { Span, SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  TracerProvider,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Log } from './log.ts';
import type { Attributes, SpanDescription, Tracing } from './tracing.ts';
import { currentCorrelation } from './correlation.ts';

/** How long the collector may take to answer, in ms. */
const exportTimeout = 3_000;

/** A span that is not begun before something needs it: an activity reads from the database to which request it belongs. */
interface LateSpan {
  readonly begin: () => Span;
}

/**
 * Creates the traces of a process, sent by OTLP over HTTP.
 *
 * A trace is that of a correlation ID, and its IDs are derived from it: the ID is on the registration's row, so every
 * process, a run that replaced another and a notification days later find the trace without anything being passed
 * through Temporal. Temporal's interceptors for OpenTelemetry would: they are part of the workflows' bundle for
 * everybody, and replay differently from a history that was recorded without them.
 * @param share which part of the traces is kept, 0 to 1; the same one in every process
 */
export function createTracing(processName: string, endpoint: string, share: number, log: Log): Tracing {
  const warn = (text: string) => log.warn({ diagnostic: text }, 'traces may be missing');
  const ignore = () => {};
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const ids = new PreparedIds();
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: exportTimeout,
  });
  const provider = new TracerProvider({
    idGenerator: ids,
    sampler: new TraceIdRatioBasedSampler(share),
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': `withdrawal-account-registration-${processName}` }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('withdrawal-account-registration');
  const spans = new AsyncLocalStorage<LateSpan>();

  /** @param firstId the correlation ID that the work began with */
  function begin(
    { name, kind }: SpanDescription,
    parent: LateSpan | undefined,
    startTime: Date,
    firstId?: string,
  ) {
    const options = { kind: SpanKind[kind], startTime };
    if (parent) return tracer.startSpan(name, options, trace.setSpan(ROOT_CONTEXT, parent.begin()));
    const { correlationId } = currentCorrelation();
    if (correlationId === undefined) return tracer.startSpan(name, options, ROOT_CONTEXT);
    const root = rootOf(correlationId);
    const isRoot = kind === 'SERVER' && correlationId === firstId;
    if (!isRoot) return tracer.startSpan(name, options, trace.setSpanContext(ROOT_CONTEXT, root));
    return ids.prepare(root, () => tracer.startSpan(name, options, ROOT_CONTEXT));
  }

  return {
    async inSpan(description, work) {
      const parent = spans.getStore();
      const startTime = new Date();
      const firstId = currentCorrelation().correlationId;
      let { name } = description;
      let attributes: Attributes = { ...description.attributes };
      let begun: Span | undefined;
      const span: LateSpan = { begin: () => (begun ??= begin(description, parent, startTime, firstId)) };
      let failure: string | undefined;
      try {
        return await spans.run(span, () =>
          work({
            add: (more) => (attributes = { ...attributes, ...more }),
            rename: (given) => (name = given),
          }),
        );
      } catch (error) {
        failure = error instanceof Error ? error.name : 'error';
        throw error;
      } finally {
        const { correlationId } = currentCorrelation();
        const ended = span.begin().updateName(name);
        ended.setAttributes({ ...attributes, ...(correlationId && { 'correlation.id': correlationId }) });
        if (failure !== undefined)
          ended.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR });
        ended.end();
      }
    },

    headers() {
      const context = spans.getStore()?.begin().spanContext();
      return context ? { traceparent: traceparentOf(context) } : {};
    },

    // A collector that does not answer does not keep a process from ending well.
    close: () => provider.shutdown().catch((error: unknown) => warn(String(error))),
  };
}

/** The span of the request that began it all, as all others know it. */
function rootOf(correlationId: string): SpanContext {
  const digest = createHash('sha256').update(correlationId).digest('hex');
  return {
    traceId: digest.slice(0, 32),
    spanId: digest.slice(32, 48),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
}

/** W3C Trace Context, version 00. */
function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags.toString(16)}`;
}

/** Random IDs, but for one span that is to have given ones. */
class PreparedIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #prepared: SpanContext | undefined;

  prepare<Result>(given: SpanContext, start: () => Result): Result {
    this.#prepared = given;
    try {
      return start();
    } finally {
      this.#prepared = undefined;
    }
  }

  generateTraceId = (): string => this.#prepared?.traceId ?? this.#random.generateTraceId();
  generateSpanId = (): string => this.#prepared?.spanId ?? this.#random.generateSpanId();
}
