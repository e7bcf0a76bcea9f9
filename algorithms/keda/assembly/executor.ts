import { fallbackReplicas, Behavior } from "./trigger";

/** What a ScaledObject says beside its triggers. */
export class ScaledObject {
  least: f64 = 0;
  most: f64 = 100;
  /** How many run while there is no work; NaN where that is not wanted. */
  idle: f64 = NaN;
  cooldownSeconds: f64 = 300;
  hasFallback: bool = false;
  fallback: f64 = 0;
  failureThreshold: f64 = 3;
  behavior: Behavior = Behavior.Static;
}

/** What is known of a node when it is decided on. */
export class Situation {
  constructor(
    readonly current: f64,
    readonly isActive: bool,
    readonly isError: bool,
    /** Since there last was work; NaN where that is not known. */
    readonly idleSeconds: f64,
  ) {}
}

/** So many, or NaN where it is left to what the triggers ask for. */
export class Executed {
  constructor(
    readonly replicas: f64,
    readonly says: string,
  ) {}
}

/** Wakes what sleeps, puts to sleep what has no work, and leaves the rest to what the triggers ask for. */
export function execute(object: ScaledObject, situation: Situation): Executed {
  return situation.isActive ? active(object, situation) : inactive(object, situation);
}

function active(object: ScaledObject, situation: Situation): Executed {
  const current = situation.current;
  const awake = Math.max(1, object.least);
  const isIdle = !isNaN(object.idle) && current <= object.idle && current < object.least;
  if (current == 0 || isIdle) return new Executed(awake, "there is work again");
  return new Executed(NaN, "");
}

function inactive(object: ScaledObject, situation: Situation): Executed {
  const current = situation.current;
  // What cannot be read might be work: only a fallback of none lets it go to sleep.
  if (situation.isError && !(object.hasFallback && object.fallback == 0)) return new Executed(NaN, "");
  const floor = isNaN(object.idle) ? object.least : object.idle;
  const sleeps = floor == 0 || !isNaN(object.idle);
  const isOver = isNaN(situation.idleSeconds) || situation.idleSeconds > object.cooldownSeconds;
  if (sleeps && current > floor)
    return isOver ? new Executed(floor, "there was no work for the cooldown") : new Executed(NaN, "");
  if (current < floor) return new Executed(floor, "it is below its least");
  return new Executed(NaN, "");
}

/** What a trigger that failed so often in a row is taken to ask for; NaN where it is not taken for anything. */
export function insteadOf(object: ScaledObject, failures: f64, current: f64): f64 {
  if (!object.hasFallback || failures <= object.failureThreshold) return NaN;
  return fallbackReplicas(object.behavior, object.fallback, current);
}
