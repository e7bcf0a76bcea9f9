import java.time.Duration;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;

/**
 * One instance of an application of two sub-topologies: 0 reads the input, sleeps for every record and writes it under another
 * key to a repartition topic; 1 counts by that key. It costs time and no processor.
 *
 * <p>usage: SlowStreams bootstrap application.id input output threads sleepMs stateDir [name=value of a setting]...
 */
public final class SlowStreams {
  /** What instances of tests have in common: they are missed soon, and read what came before them. */
  static Properties settings(String bootstrap, String application, String state) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("application.id", application);
    settings.put("state.dir", state);
    settings.put("auto.offset.reset", "earliest");
    settings.put("commit.interval.ms", "500");
    settings.put("session.timeout.ms", "6000");
    settings.put("heartbeat.interval.ms", "1000");
    settings.put("default.key.serde", Serdes.String().getClass());
    settings.put("default.value.serde", Serdes.String().getClass());
    return settings;
  }

  public static void main(String[] words) throws Exception {
    String input = words[2];
    String output = words[3];
    long sleepMs = Long.parseLong(words[5]);
    Properties settings = settings(words[0], words[1], words[6]);
    settings.put("num.stream.threads", words[4]);
    for (int i = 7; i < words.length; i++) {
      int at = words[i].indexOf('=');
      settings.put(words[i].substring(0, at), words[i].substring(at + 1));
    }
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, String> slow = builder.<String, String>stream(input).peek((key, value) -> pause(sleepMs));
    slow.groupBy((key, value) -> value, Grouped.as("by-word"))
        .count()
        .toStream()
        .mapValues(String::valueOf)
        .to(output, Produced.with(Serdes.String(), Serdes.String()));
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    CountDownLatch ended = new CountDownLatch(1);
    streams.setStateListener((now, before) -> System.out.println("state " + now.name().toLowerCase(Locale.ROOT)));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  // Static members leave their group; others do with main.consumer.internal.leave.group.on.close.
                  streams.close(new KafkaStreams.CloseOptions().leaveGroup(true).timeout(Duration.ofSeconds(2)));
                  ended.countDown();
                }));
    streams.start();
    ended.await();
  }

  private static void pause(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}
