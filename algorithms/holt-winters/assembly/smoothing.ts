/** How a part of a series comes in: not at all, as a sum, or as a factor. */
export enum Part {
  None,
  Added,
  Multiplied,
}

/** What a series is taken to be made of, and how fast each part follows what is seen. */
export class Model {
  alpha: f64 = 0.5;
  beta: f64 = 0.1;
  gamma: f64 = 0.1;
  /** How much of the trend is left after each step; 1 keeps it. */
  phi: f64 = 1;
  trend: Part = Part.None;
  seasonal: Part = Part.None;
  /** Steps of a season. */
  period: i32 = 0;
  /** Takes the last step of the coming season as it was a season ago, as statsmodels does. */
  mirrors: bool = false;
}

/** Where the parts stand after the last value. */
export class State {
  constructor(
    public level: f64,
    public trend: f64,
    /** Of the coming season, its first step first. */
    public season: f64[],
  ) {}

  /** The step of the season that was followed last, as it was before. */
  before: f64 = NaN;
}

/** Fewest values from which a model can begin: two seasons, or two values. */
export const needed = (model: Model): i32 => (model.seasonal == Part.None ? 2 : 2 * model.period);

/**
 * The parts as the first values have them: the mean of the first season, the mean change from it to the second, and how far
 * each of its steps is from the mean; without a season the first value and the change to the second.
 */
export function beginning(values: f64[], model: Model): State {
  const m = model.period;
  if (model.seasonal == Part.None) {
    const change = model.trend == Part.Multiplied ? values[1] / values[0] : values[1] - values[0];
    return new State(values[0], model.trend == Part.None ? 0 : change, []);
  }
  const level = mean(values, 0, m);
  const season = new Array<f64>(m);
  for (let i = 0; i < m; i++)
    season[i] = model.seasonal == Part.Added ? values[i] - level : values[i] / level;
  const second = mean(values, m, 2 * m);
  const change = model.trend == Part.Multiplied ? Math.pow(second / level, 1 / <f64>m) : (second - level) / <f64>m;
  return new State(level, model.trend == Part.None ? 0 : change, season);
}

/** Follows all values, and returns where the parts stand then (Holt 1957, Winters 1960; damped as in Gardner 1985). */
export function follow(values: f64[], model: Model, state: State): State {
  for (let i = 0; i < values.length; i++) {
    const ahead = onward(state.level, state.trend, model, 1);
    const season = model.seasonal == Part.None ? NaN : state.season[0];
    const seen = withoutSeason(values[i], season, model);
    const level = model.alpha * seen + (1 - model.alpha) * ahead;
    state.trend = nextTrend(state.level, level, state.trend, model);
    state.level = level;
    if (model.seasonal == Part.None) continue;
    const own = model.seasonal == Part.Added ? values[i] - ahead : values[i] / ahead;
    state.before = state.season.shift();
    state.season.push(model.gamma * own + (1 - model.gamma) * season);
  }
  return state;
}

/** What comes so many steps later. */
export function forecast(state: State, model: Model, steps: i32): f64 {
  const ahead = onward(state.level, state.trend, model, steps);
  if (model.seasonal == Part.None) return ahead;
  const at = (steps - 1) % model.period;
  const season = model.mirrors && at == model.period - 1 ? state.before : state.season[at];
  return model.seasonal == Part.Added ? ahead + season : ahead * season;
}

function withoutSeason(value: f64, season: f64, model: Model): f64 {
  if (model.seasonal == Part.None) return value;
  return model.seasonal == Part.Added ? value - season : value / season;
}

function nextTrend(before: f64, level: f64, trend: f64, model: Model): f64 {
  if (model.trend == Part.None) return 0;
  if (model.trend == Part.Added)
    return model.beta * (level - before) + (1 - model.beta) * model.phi * trend;
  return model.beta * (level / before) + (1 - model.beta) * Math.pow(trend, model.phi);
}

/** Where level and trend lead in so many steps. */
function onward(level: f64, trend: f64, model: Model, steps: i32): f64 {
  if (model.trend == Part.None) return level;
  let weight: f64 = 0;
  let damping: f64 = 1;
  for (let i = 0; i < steps; i++) {
    damping *= model.phi;
    weight += damping;
  }
  return model.trend == Part.Added ? level + weight * trend : level * Math.pow(trend, weight);
}

function mean(values: f64[], from: i32, to: i32): f64 {
  let sum: f64 = 0;
  for (let i = from; i < to; i++) sum += values[i];
  return sum / <f64>(to - from);
}
