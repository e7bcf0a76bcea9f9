package dev.sluice.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How many records have been offered so far, by a file of lines `since perSecond`, in ms since 1970. */
final class Schedule {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private final Path file;
  private List<String> lines = List.of();
  private long lookedNanos = System.nanoTime() - LOOK_NANOS;

  Schedule(String file) {
    this.file = Path.of(file);
  }

  synchronized double offered() {
    look();
    double offered = 0;
    long nowMs = System.currentTimeMillis();
    for (int at = 0; at < lines.size(); at++) {
      long untilMs = at + 1 < lines.size() ? sinceMs(at + 1) : nowMs;
      offered += perSecond(at) * Math.max(0, untilMs - sinceMs(at)) / 1e3;
    }
    return offered;
  }

  synchronized double perSecond() {
    look();
    return lines.isEmpty() ? 0 : perSecond(lines.size() - 1);
  }

  private long sinceMs(int at) {
    return Long.parseLong(lines.get(at).split(" ")[0]);
  }

  private double perSecond(int at) {
    return Double.parseDouble(lines.get(at).split(" ")[1]);
  }

  private void look() {
    long now = System.nanoTime();
    if (now - lookedNanos < LOOK_NANOS) return;
    lookedNanos = now;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException unreadable) {
      // What was read last holds.
    }
  }
}
