package dev.sluice.test;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** source -> keyed work -> sink. A record costs sleep, not processor time: two cores cannot show how that scales. */
public final class SleepyJob {
  private static final int KEYS = 1_024;

  /** Name of the job, file with the rate, milliseconds a record, key groups, slot group of the work. */
  public static void main(String[] args) throws Exception {
    String file = args[1];
    long sleepMs = Long.parseLong(args[2]);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.disableOperatorChaining();
    env.setParallelism(1);
    env.setMaxParallelism(Integer.parseInt(args[3]));
    env.enableCheckpointing(1_000);
    env.fromSource(
            new DataGeneratorSource<>(
                new Numbers(file), Long.MAX_VALUE, instances -> new FileRate<>(file), Types.LONG),
            WatermarkStrategy.noWatermarks(), "numbers").uid("numbers")
        .keyBy(i -> i % KEYS)
        .map(new SleepyWork(file, sleepMs)).returns(Types.LONG).name("work").uid("work").slotSharingGroup(args[4])
        .sinkTo(new DiscardingSink<>()).name("sink").uid("sink");
    env.execute(args[0]);
  }
}
