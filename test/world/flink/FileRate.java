package dev.sluice.test;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;

/**
 * Lets the n-th record through when that many have been offered. What the job does not take in time is not lost, also not by
 * a restart: it comes as fast as it is taken, like what waits in a topic.
 */
final class FileRate<S extends SourceSplit> implements RateLimiter<S> {
  /** No longer than this, as the rate may change meanwhile. */
  private static final double WAIT_MS = 100;
  private final String file;
  private final Schedule schedule;

  FileRate(String file) {
    this.file = file;
    schedule = new Schedule(file);
    // After a restart it goes on from the checkpoint: the first record says where that was.
    Numbers.NEXT.remove(file);
  }

  /** Asked for one record at a time, when the one before it has gone. */
  @Override
  public CompletionStage<Void> acquire(int records) {
    Long next = Numbers.NEXT.get(file);
    double missing = next == null ? 0 : next + records - schedule.offered();
    if (missing <= 0) return CompletableFuture.completedFuture(null);
    double perSecond = schedule.perSecond();
    double waitMs = perSecond <= 0 ? WAIT_MS : Math.min(WAIT_MS, missing / perSecond * 1e3);
    Executor later =
        CompletableFuture.delayedExecutor((long) (waitMs * 1e6), TimeUnit.NANOSECONDS);
    return CompletableFuture.runAsync(() -> {}, later).thenCompose(nothing -> acquire(records));
  }
}
