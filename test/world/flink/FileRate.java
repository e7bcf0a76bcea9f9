package dev.sluice.test;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource.NumberSequenceSplit;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;

/**
 * Lets the n-th record through when that many have been offered. What the job does not take in time is not lost, also not by
 * a restart: it comes as fast as it is taken, like what waits in a topic.
 */
final class FileRate<S extends SourceSplit> implements RateLimiter<S> {
  /** No longer than this, as the rate may change meanwhile. */
  private static final double WAIT_MS = 100;
  private final Schedule schedule;
  private long taken;

  FileRate(String file) {
    schedule = new Schedule(file);
  }

  @Override
  public synchronized void notifyAddingSplit(S split) {
    // After a restart numbers go on from the checkpoint. There is one split, whatever the parallelism.
    if (split instanceof NumberSequenceSplit numbers) taken = numbers.from();
  }

  @Override
  public synchronized CompletionStage<Void> acquire(int records) {
    taken += records;
    return until(taken);
  }

  private CompletionStage<Void> until(long number) {
    double missing = number - schedule.offered();
    if (missing <= 0) return CompletableFuture.completedFuture(null);
    double perSecond = schedule.perSecond();
    double waitMs = perSecond <= 0 ? WAIT_MS : Math.min(WAIT_MS, missing / perSecond * 1e3);
    Executor later =
        CompletableFuture.delayedExecutor((long) (waitMs * 1e6), TimeUnit.NANOSECONDS);
    return CompletableFuture.runAsync(() -> {}, later).thenCompose(nothing -> until(number));
  }
}
