import { styleText } from "node:util";
import { changeLines } from "./changes.ts";
import { fit, printable, widthOf } from "./text.ts";
import type { NodeView, PolicyView, View } from "./view.ts";

export interface TerminalOptions {
  /** The width of the terminal; no line is wider. */
  readonly columns: number;
  /** False where NO_COLOR or the like asks for plain text. */
  readonly color: boolean;
}

/** What is written to: `process.stderr` or the like. */
export interface TerminalOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const BAR_CELLS = 16;
/** From this width on there is room for a bar beside the reasons; the reasons come first. */
const BAR_COLUMNS = 100;
const HEADINGS = ["NODE", "RATE/S", "WAITING", "NOW", "READY", "WANTED", "GRANTED"] as const;
const ERASE_BELOW = "\u001b[J";
const upBy = (lines: number) => (lines === 0 ? "\r" : `\r\u001b[${lines}A`);

/**
 * The last pass of every policy as a table, lines ended by line feeds. Pure. What comes from elsewhere is freed of
 * everything that a terminal would act on.
 */
export function renderTerminal(view: View, { columns, color }: TerminalOptions): string {
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  if (view.policies.length === 0) return `${paint("dim", fit("Waiting for the first pass…", columns))}\n`;
  return view.policies.map((policy) => renderPolicy(policy, columns, paint)).join("\n");
}

/**
 * Shows each view that it is given: on a terminal in place of the one before, elsewhere as one line for each change.
 * What happens in between on the same terminal is painted over.
 */
export function showInTerminal(
  output: TerminalOutput,
  { color }: { readonly color: boolean },
): (view: View) => void {
  let before: View = { policies: [] };
  let painted = 0;
  return (view) => {
    if (output.isTTY !== true) {
      for (const line of changeLines(before, view)) output.write(`${line}\n`);
      before = view;
      return;
    }
    const text = renderTerminal(view, { columns: output.columns ?? DEFAULT_COLUMNS, color });
    // What has scrolled out of the screen cannot be painted over, so it is never more than a screen.
    const lines = text
      .split("\n")
      .slice(0, -1)
      .slice(0, (output.rows ?? DEFAULT_ROWS) - 1);
    output.write(`${upBy(painted)}${ERASE_BELOW}${lines.join("\n")}\n`);
    painted = lines.length;
  };
}

function renderPolicy(policy: PolicyView, columns: number, paint: Paint): string {
  const { key, mode, number, at, outcome, fault, shadow, nodes } = policy;
  const about = `  ${mode} · pass ${number} · ${at.slice(11, 19)} · `;
  const name = fit(printable(key), columns);
  const room = Math.max(0, columns - widthOf(name));
  const title =
    paint("bold", name) +
    paint("dim", fit(about, room)) +
    styleOutcome(outcome, Math.max(0, room - widthOf(about)), paint);
  const lines = [title];
  if (fault !== undefined)
    lines.push(paint("red", fit(`  ${fault.code}: ${printable(fault.message)}`, columns)));
  if (shadow !== undefined) lines.push(paint("dim", fit(`  shadow, ${printable(shadow)}`, columns)));
  return [...lines, ...(nodes.length > 0 ? renderNodes(nodes, columns, paint) : []), ""].join("\n");
}

function styleOutcome(outcome: string, room: number, paint: Paint): string {
  const styles: Readonly<Record<string, Style>> = { Scaled: "green", PartlyScaled: "yellow", Failed: "red" };
  return paint(styles[outcome] ?? "dim", fit(printable(outcome), room));
}

function renderNodes(nodes: readonly NodeView[], columns: number, paint: Paint): string[] {
  const cells = nodes.map(cellsOf);
  const widths = HEADINGS.map((heading, at) =>
    Math.max(heading.length, ...cells.map((row) => widthOf(row[at] ?? ""))),
  );
  const most = Math.max(1, ...nodes.map((node) => Math.max(node.granted, node.ready)));
  const aligned = (row: readonly string[]) =>
    `  ${row.map((cell, at) => pad(cell, widths[at] ?? 0, at === 0 ? "left" : "right")).join("  ")}`;
  const heading = fit(
    `${aligned(HEADINGS)}${columns < BAR_COLUMNS ? "" : " ".repeat(BAR_CELLS + 2)}  WHY`,
    columns,
  );
  return [
    paint("dim", heading),
    ...nodes.map((node, at) => renderNode(node, aligned(cells[at] ?? []), most, columns, paint)),
  ];
}

function renderNode(node: NodeView, row: string, most: number, columns: number, paint: Paint): string {
  const start = fit(row, columns);
  const bar = columns < BAR_COLUMNS ? "" : renderBar(node, most, paint);
  const left = columns - widthOf(start) - (bar === "" ? 0 : BAR_CELLS + 2);
  const why = fit(`  ${node.why.map(printable).join(", ")}`, Math.max(0, left));
  return `${node.granted === node.parallelism ? start : paint("bold", start)}${bar}${paint("yellow", why)}`.trimEnd();
}

function renderBar(node: NodeView, most: number, paint: Paint): string {
  const ready = Math.round((Math.min(node.ready, node.granted) / most) * BAR_CELLS);
  const granted = Math.max(ready, Math.round((node.granted / most) * BAR_CELLS));
  const rest = " ".repeat(BAR_CELLS - granted);
  return `  ${paint("cyan", "█".repeat(ready))}${paint("dim", "░".repeat(granted - ready))}${rest}`;
}

const cellsOf = ({ name, rate, lag, parallelism, ready, wanted, granted }: NodeView): string[] => [
  printable(name),
  decimal(rate),
  decimal(lag),
  String(parallelism),
  String(ready),
  wanted === undefined ? "–" : String(wanted),
  String(granted),
];

const decimal = (value: number | undefined) =>
  value === undefined
    ? "–"
    : value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });

function pad(text: string, width: number, side: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return side === "left" ? text + space : space + text;
}
