/**
 * Shares a budget between claims, each with a least and a most: max-min fair, so that nobody gets more while somebody
 * with less could. What does not divide goes to the first. The least are given even where they alone exceed the budget.
 * Source: water-filling, as in Bertsekas and Gallager, Data Networks, §6.5.2.
 */
export function fairShare(budget: number, least: readonly number[], most: readonly number[]): number[] {
  const at = (level: number) => least.map((low, claim) => Math.min(Math.max(level, low), most[claim] ?? low));
  const needs = (level: number) => at(level).reduce((all, one) => all + one, 0);
  let low = 0;
  let high = Math.max(0, ...most) + 1;
  // The highest level that the budget pays for.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (needs(middle) <= budget) low = middle;
    else high = middle;
  }
  const shares = at(low);
  let left = budget - needs(low);
  const next = at(low + 1);
  return shares.map((share, claim) => {
    if (left <= 0 || (next[claim] ?? share) === share) return share;
    left -= 1;
    return share + 1;
  });
}
