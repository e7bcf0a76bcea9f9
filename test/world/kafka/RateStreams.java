import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;

/**
 * One instance of an application that sleeps for every record of its input and writes every n-th of them to its output. While
 * it runs, it writes what it has done to a file in the format that Prometheus reads.
 *
 * <p>Busy is what records cost by themselves: where tests share a processor, what is slept longer is waiting.
 *
 * <p>usage: RateStreams bootstrap application.id input output sleepMs everyNth stateDir metricsFile operator pod
 */
public final class RateStreams {
  private static final AtomicLong IN = new AtomicLong();
  private static final AtomicLong OUT = new AtomicLong();

  public static void main(String[] words) throws Exception {
    long sleepMs = Long.parseLong(words[4]);
    int everyNth = Integer.parseInt(words[5]);
    Path file = Path.of(words[7]);
    String labels = "{operator=\"" + words[8] + "\",pod=\"" + words[9] + "\"} ";
    StreamsBuilder builder = new StreamsBuilder();
    builder.<String, String>stream(words[2])
        .filter((key, value) -> {
          pause(sleepMs);
          return IN.incrementAndGet() % everyNth == 0;
        })
        .peek((key, value) -> OUT.incrementAndGet())
        .to(words[3]);
    KafkaStreams streams = new KafkaStreams(builder.build(), settings(words));
    CountDownLatch ended = new CountDownLatch(1);
    streams.setStateListener((now, before) -> System.out.println("state " + now.name().toLowerCase(Locale.ROOT)));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close(Duration.ofSeconds(2));
                  ended.countDown();
                }));
    streams.start();
    Executors.newSingleThreadScheduledExecutor()
        .scheduleWithFixedDelay(
            () -> {
              if (streams.state() == KafkaStreams.State.RUNNING) tell(file, labels, sleepMs);
            },
            0, 500, TimeUnit.MILLISECONDS);
    ended.await();
  }

  private static Properties settings(String[] words) {
    Properties settings = SlowStreams.settings(words[0], words[1], words[6]);
    // Without it only static members leave when they are closed; the others are missed when their session ends.
    settings.put("main.consumer.internal.leave.group.on.close", "true");
    // What one call fetches is worked on before the group may be joined again.
    settings.put("max.poll.records", "100");
    return settings;
  }

  private static void tell(Path file, String labels, long sleepMs) {
    long in = IN.get();
    String text =
        "records_in_total" + labels + in + "\n"
            + "records_out_total" + labels + OUT.get() + "\n"
            + "busy_seconds_total" + labels + in * sleepMs / 1e3 + "\n";
    try {
      Path part = Path.of(file + ".part");
      Files.writeString(part, text);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (java.io.IOException gone) {
      System.out.println("metrics: " + gone);
    }
  }

  private static void pause(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}
