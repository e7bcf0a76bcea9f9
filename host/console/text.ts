/** A text without what a terminal acts on or hides: control, formatting (such as the direction of writing) and the like. */
export const printable = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");

/** Combining marks take no cell; the scripts of East Asia and pictures take two. */
const NO_CELL = /^\p{M}$/u;
const TWO_CELLS =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]$/u;

/** How many cells of a terminal a printable text takes. */
export function widthOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

/** The text, cut to a number of cells; what is cut ends with an ellipsis. */
export function fit(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += cellsOf(character);
    if (used > cells) break;
    kept += character;
  }
  return cells < 1 ? "" : `${kept}…`;
}

const cellsOf = (character: string) => (NO_CELL.test(character) ? 0 : TWO_CELLS.test(character) ? 2 : 1);
