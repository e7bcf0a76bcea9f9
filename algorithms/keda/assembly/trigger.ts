/** What one trigger says of a node. */
export class Reading {
  /** What is to be shared by instances: records, requests, or the instances themselves. */
  value: f64 = 0;
  /** How much of it one instance is for. */
  target: f64 = 1;
  /** Whether there is work at all: it wakes what sleeps. */
  isActive: bool = false;
  /** Why there is no reading; empty where there is one. */
  error: string = "";
  /** What it was read from, for people. */
  says: string = "";

  constructor(readonly name: string) {}

  /** How many instances it asks for. */
  get replicas(): f64 {
    return this.target > 0 ? Math.ceil(this.value / this.target - 1e-9) : 0;
  }
}

/** A reading as the original hands it on: three decimals, and nothing below zero. */
export function exported(x: f64): f64 {
  if (!isFinite(x) || x < 0) return 0;
  return Math.abs(x) < 1e12 ? nearest(x * 1000) / 1000 : x;
}

/** What stands for a reading that could not be had, after so many failures in a row. */
export enum Behavior {
  Static,
  Current,
  CurrentIfHigher,
  CurrentIfLower,
}

/** How many instances are taken to be needed while nothing can be read. */
export function fallbackReplicas(behavior: Behavior, replicas: f64, current: f64): f64 {
  if (behavior == Behavior.Current) return current;
  if (behavior == Behavior.CurrentIfHigher) return Math.max(replicas, current);
  if (behavior == Behavior.CurrentIfLower) return Math.min(replicas, current);
  return replicas;
}
