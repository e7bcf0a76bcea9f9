import { Claim } from "./claim";

/** So often the span in which the level lies is halved: then it is exact to a whole instance of the largest parallelism. */
const HALVINGS = 60;
/** So many steps a claim are walked one by one; for more the level is looked for. */
const FEW = 16;

/** What all claims take as they are granted now. */
export function taken(claims: Claim[]): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < claims.length; i++) sum += claims[i].granted * claims[i].cost;
  return sum;
}

/**
 * Shares the budget out, max-min fair: always the claim that has the least for its weight is raised by its next step, until
 * all have what they want or no step fits into what is left. Every claim has to be granted its least already. Returns
 * what is left.
 */
export function share(claims: Claim[], budget: f64): f64 {
  flood(claims, budget);
  let left = budget - taken(claims);
  for (let at = lowest(claims); at >= 0; at = lowest(claims)) {
    const claim = claims[at];
    const price = (claim.step - claim.granted) * claim.cost;
    if (price <= left) {
      claim.granted = claim.step;
      left = budget - taken(claims);
    } else {
      stop(claims, left);
      if (left > <f64>(FEW * claims.length) * claim.cost) {
        flood(claims, budget);
        left = budget - taken(claims);
      }
    }
  }
  return left;
}

/** What is left only shrinks: a step that does not fit into it now never will. */
function stop(claims: Claim[], left: f64): void {
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i];
    if ((claim.step - claim.granted) * claim.cost > left) claim.isStuck = true;
  }
}

/** The claim that has the least for its weight and wants more; of equal ones that with the smaller step. -1 if there is none. */
function lowest(claims: Claim[]): i32 {
  let found = -1;
  let least: f64 = Infinity;
  let nearest: f64 = Infinity;
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i];
    if (claim.isStuck || claim.granted >= claim.top) continue;
    const has = claim.granted / claim.weight;
    if (has > least) continue;
    const gets = claim.step / claim.weight;
    if (has == least && gets >= nearest) continue;
    found = i;
    least = has;
    nearest = gets;
  }
  return found;
}

/** Raises all claims as far as stepping would without a step that does not fit: to the highest level that all can have. */
function flood(claims: Claim[], budget: f64): void {
  let low: f64 = 0;
  let high: f64 = 0;
  let cheapest: f64 = Infinity;
  for (let i = 0; i < claims.length; i++) {
    high = Math.max(high, claims[i].top / claims[i].weight);
    cheapest = Math.min(cheapest, claims[i].cost);
  }
  if (priceAt(claims, high) <= budget) low = high;
  let left = Infinity;
  for (let i = 0; i < HALVINGS && low < high && left >= cheapest; i++) {
    const middle = (low + high) / 2;
    const price = priceAt(claims, middle);
    if (price <= budget) {
      low = middle;
      left = budget - price;
    } else high = middle;
  }
  for (let i = 0; i < claims.length; i++) claims[i].granted = atLevel(claims[i], low);
}

function priceAt(claims: Claim[], level: f64): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < claims.length; i++) sum += atLevel(claims[i], level) * claims[i].cost;
  return sum;
}

function atLevel(claim: Claim, level: f64): f64 {
  return claim.isStuck ? claim.granted : Math.max(claim.granted, claim.atLeast(level * claim.weight));
}
