/** Values to put at paths of a document, such as `{ "spec.mode": "Paused" }`; undefined takes the field away. */
export type Changes = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;

/** A ScalingPolicy as a user writes it, with two nodes and one source, changed at the paths given. */
export function manifest(changes: Changes = {}): Fields {
  const policy = {
    apiVersion: "sluice.dev/v1alpha1",
    kind: "ScalingPolicy",
    metadata: { name: "clicks", namespace: "team-a" },
    spec: {
      target: {
        kubernetes: {
          nodes: [
            {
              name: "split",
              ref: { apiVersion: "apps/v1", kind: "Deployment", name: "split-words" },
              to: ["count"],
            },
            { name: "count", ref: { apiVersion: "apps/v1", kind: "StatefulSet", name: "count-words" } },
          ],
        },
      },
      sources: [
        { name: "rates", prometheus: { service: { name: "prometheus", port: 9090 }, query: "rate(x[1m])" } },
      ],
      algorithm: { artifact: "oci://registry.example/algorithms/threshold:1.0.0" },
    },
  };
  return changed(policy, changes);
}

/** A copy of a document, changed at the paths given. */
export function changed(document: Fields, changes: Changes): Fields {
  const copy = structuredClone(document);
  for (const [path, value] of Object.entries(changes)) put(copy, path.split("."), value);
  return copy;
}

function put(into: Fields, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) {
    into[name] ??= {};
    put(into[name] as Fields, rest, value);
  } else if (value === undefined) delete into[name];
  else into[name] = value;
}
