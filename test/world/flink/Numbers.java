package dev.sluice.test;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.connector.datagen.source.GeneratorFunction;

/** Numbers from 0 on, after a restart from the checkpoint on: says how far it is to what limits its rate. */
final class Numbers implements GeneratorFunction<Long, Long> {
  /** By the file with the schedule: the next number. One reader of a job has numbers, whatever the parallelism. */
  static final Map<String, Long> NEXT = new ConcurrentHashMap<>();
  private final String file;

  Numbers(String file) {
    this.file = file;
  }

  @Override
  public Long map(Long number) {
    NEXT.put(file, number + 1);
    return number;
  }
}
