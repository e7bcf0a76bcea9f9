package dev.sluice.test;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.metrics.Gauge;

/** Sleeps for each record, and says how far an instance is `behind` what has been offered; nothing before its first record. */
final class SleepyWork extends RichMapFunction<Long, Long> {
  private final String file;
  private final long sleepMs;
  private transient volatile Long newest;

  SleepyWork(String file, long sleepMs) {
    this.file = file;
    this.sleepMs = sleepMs;
  }

  @Override
  public void open(OpenContext context) {
    Schedule schedule = new Schedule(file);
    Gauge<Long> behind =
        () -> newest == null ? null : Math.max(0, (long) schedule.offered() - newest - 1);
    getRuntimeContext().getMetricGroup().gauge("behind", behind);
  }

  @Override
  public Long map(Long number) throws Exception {
    Thread.sleep(sleepMs);
    newest = number;
    return number;
  }
}
