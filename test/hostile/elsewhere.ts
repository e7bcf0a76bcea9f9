/**
 * Threats of the catalogue that no module alone can show: what it is that is tried, and the tests that hold it. A file that is
 * named here has to exist.
 */
export const ELSEWHERE: readonly (readonly [ids: string, what: string, ...files: readonly string[]])[] = [
  ["H29 H32", "a plan for nodes that are not the policy's, or for ten thousand", "test/plan.test.ts"],
  ["H27 H28", "numbers that are none, in a plan", "test/plan.test.ts", "test/guardrails.test.ts"],
  ["H30 H31", "a plan of zeros, and one that goes up and down", "test/guardrails.test.ts"],
  [
    "H36 H39 H40",
    "addresses that are not to be reached, however they are written",
    "test/egress-urls.test.ts",
  ],
  ["H36 H39", "addresses by their kind", "test/egress-address.test.ts"],
  ["H37", "a redirect to what is not to be reached", "test/egress-redirect.test.ts"],
  ["H38", "a name that has another address the second time", "test/egress.test.ts"],
  ["H42 H43", "a server that drips, never ends or hangs up", "test/egress-hostile.test.ts"],
  ["H44", "requests that are none", "test/effects.test.ts", "test/egress-urls.test.ts"],
  ["H45", "ten thousand requests", "test/effects.test.ts", "test/egress-hostile.test.ts"],
  ["H46", "a credential that an algorithm would like to see", "test/egress-credential.test.ts"],
  [
    "H47 H48",
    "words without end in reasons and explanations",
    "test/plan.test.ts",
    "test/conditions.test.ts",
  ],
  ["H49", "words that are markup, in the console", "test/console.test.ts"],
];
