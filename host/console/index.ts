export { startConsole, type Console, type ConsoleOptions, type Readiness } from "./console.ts";
export { renderTerminal, showInTerminal, type TerminalOptions, type TerminalOutput } from "./terminal.ts";
export { viewOf, type NodeView, type PolicyView, type View } from "./view.ts";
