import { Value } from "@sluice/pdk";

/** What the policy configures, with every default filled in. */
export class Settings {
  /** How many passes are ignored after the application was seen to change its parallelism. */
  readonly warmUp: i32;
  /** In how many passes since then there has to be an answer before one is acted on. */
  readonly activation: i32;
  /** A pass in which nothing grows and nothing loses so many instances is not worth a change. */
  readonly minDecrease: i32;
  readonly scalingFactor: f64;
  /** Above this ratio of offered to emitted records all operators are corrected once; infinite: never. */
  readonly targetRateRatio: f64;
  readonly fitted: bool;
  readonly unrounded: bool;
  readonly forecast: bool;
  readonly nodes: Value;
  private readonly sources: Value;

  constructor(config: Value) {
    this.warmUp = config.whole("warmUp", 2);
    this.activation = config.whole("activation", 1);
    this.minDecrease = config.whole("minDecrease", 1);
    this.scalingFactor = config.number("scalingFactor", 0);
    this.targetRateRatio = config.number("targetRateRatio", Infinity);
    this.fitted = config.flag("fitted");
    this.unrounded = config.flag("unrounded");
    this.forecast = config.flag("forecast");
    this.nodes = config.object("nodes");
    this.sources = config.object("sources");
  }

  /** Whether anything of what is configured needs a memory. */
  get remembers(): bool {
    return this.fitted || this.warmUp > 0 || this.activation > 1 || isFinite(this.targetRateRatio);
  }

  /** The name that the policy gave to a source. */
  source(role: string, preset: string): string {
    return this.sources.text(role, preset);
  }

  /** The factor of a node. */
  factor(node: string): f64 {
    return this.nodes.object(node).number("scalingFactor", this.scalingFactor);
  }
}
