package dev.sluice.test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;

/**
 * As many records a second as a file says, shared by the instances of the source. What the job does not take in time is not
 * lost: it comes as fast as it is taken, like what waits in a topic.
 */
final class FileRate<S extends SourceSplit> implements RateLimiter<S> {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private final Path file;
  private final int instances;
  private double perSecond;
  private long lookedNanos = System.nanoTime() - LOOK_NANOS;
  private double dueNanos = System.nanoTime();

  FileRate(String file, int instances) {
    this.file = Path.of(file);
    this.instances = instances;
  }

  @Override
  public synchronized CompletionStage<Void> acquire(int records) {
    long now = System.nanoTime();
    if (now - lookedNanos >= LOOK_NANOS) look(now);
    if (perSecond <= 0) {
      dueNanos = now;
      return later(LOOK_NANOS).thenCompose(nothing -> acquire(records));
    }
    dueNanos += records * 1e9 * instances / perSecond;
    long waits = (long) (dueNanos - now);
    return waits <= 0 ? CompletableFuture.completedFuture(null) : later(waits);
  }

  private void look(long now) {
    lookedNanos = now;
    try {
      perSecond = Double.parseDouble(Files.readString(file).trim());
    } catch (Exception unreadable) {
      // It is being written: the last rate holds.
    }
  }

  private static CompletableFuture<Void> later(long nanos) {
    Executor executor = CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS);
    return CompletableFuture.runAsync(() -> {}, executor);
  }
}
