import type * as Api from "@opentelemetry/api";
import type { Span, Tracer } from "@opentelemetry/api";

/** Spans of passes, for who looks for where the time goes. */
export interface Traces {
  /** Begins the span of a policy's pass. */
  begin(policy: string): void;
  /** A part of the pass that is under way: its span is the pass's child. */
  part<T>(policy: string, name: string, work: () => Promise<T>): Promise<T>;
  /** Ends the span of the pass. */
  end(policy: string, attributes: Readonly<Record<string, string | number>>, fault?: string): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** No traces: nothing is loaded and nothing is kept. */
export const NO_TRACES: Traces = {
  begin: () => undefined,
  part: (_policy, _name, work) => work(),
  end: () => undefined,
  close: async () => undefined,
};

/**
 * Traces that are sent to an OTLP endpoint over HTTP, such as `http://collector:4318/v1/traces`. The packages are loaded only
 * here: an operator without an endpoint does not pay for them.
 */
export async function traces(endpoint: string | undefined): Promise<Traces> {
  if (endpoint === undefined) return NO_TRACES;
  const [api, sdk, { OTLPTraceExporter }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-http"),
  ]);
  const exporter = new OTLPTraceExporter({ url: endpoint });
  const provider = new sdk.TracerProvider({ spanProcessors: [new sdk.BatchSpanProcessor({ exporter })] });
  return spansOf(provider.getTracer("sluice"), api, () => provider.shutdown());
}

function spansOf(
  tracer: Tracer,
  { trace, ROOT_CONTEXT, SpanStatusCode }: typeof Api,
  close: () => Promise<void>,
): Traces {
  const open = new Map<string, Span>();
  return {
    begin(policy) {
      open.get(policy)?.end();
      open.set(policy, tracer.startSpan("pass", { attributes: { "sluice.policy": policy } }, ROOT_CONTEXT));
    },
    async part(policy, name, work) {
      const parent = open.get(policy);
      if (parent === undefined) return work();
      const span = tracer.startSpan(name, {}, trace.setSpan(ROOT_CONTEXT, parent));
      try {
        return await work();
      } catch (thrown) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw thrown;
      } finally {
        span.end();
      }
    },
    end(policy, attributes, fault) {
      const span = open.get(policy);
      open.delete(policy);
      span?.setAttributes({ ...attributes });
      if (fault !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR, message: fault });
      span?.end();
    },
    close,
  };
}
