/** More instances than these are not looked at for one node. */
const MOST = 100000;

/** How records come to a node, and how they are worked on. */
export class Traffic {
  constructor(
    /** Records a second that arrive. */
    readonly arrivals: f64,
    /** Seconds that one instance works on one record. */
    readonly service: f64,
    /** Variance of the times between arrivals as a share of their mean's square; 1 where they come by pure chance. */
    readonly arrivalVariance: f64,
    /** The same of the service. */
    readonly serviceVariance: f64,
  ) {}
}

/**
 * Seconds that a record waits for one of `instances`: Kingman's formula (1961) for one of them, and Sakasegawa's extension
 * of it (1977) for several; infinite where they cannot keep up.
 */
export function waiting(traffic: Traffic, instances: f64): f64 {
  const busy = (traffic.arrivals * traffic.service) / instances;
  if (busy >= 1) return Infinity;
  const crowd = Math.pow(busy, Math.sqrt(2 * (instances + 1)) - 1) / (instances * (1 - busy));
  return ((traffic.arrivalVariance + traffic.serviceVariance) / 2) * crowd * traffic.service;
}

/** The fewest instances with which a record waits and is worked on within so many seconds; 0 where none suffice. */
export function instancesFor(traffic: Traffic, latency: f64): f64 {
  if (traffic.service > latency) return 0;
  let low = Math.floor(traffic.arrivals * traffic.service) + 1;
  let high = low;
  while (waiting(traffic, high) + traffic.service > latency) {
    if (high > MOST) return 0;
    low = high + 1;
    high *= 2;
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (waiting(traffic, middle) + traffic.service > latency) low = middle + 1;
    else high = middle;
  }
  return high;
}
