import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The one page of the console, and the policy that forbids it everything that it does not do. */
export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** Reads the page from beside this file, with its style and its script inside, each allowed by its hash alone. */
export function readPage(): Page {
  const style = part("page.css");
  const script = part("page.js");
  // Functions, because a dollar sign in the text of a replacement has a meaning.
  const html = part("page.html")
    .replace(/<style>[^<]*<\/style>/, () => `<style>${style}</style>`)
    .replace(/<script>[^<]*<\/script>/, () => `<script>${script}</script>`);
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
  return { html, contentSecurityPolicy };
}

const part = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");
const hashOf = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
