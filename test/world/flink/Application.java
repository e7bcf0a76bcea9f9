package dev.sluice.test;

import java.util.Arrays;
import org.apache.flink.client.deployment.application.ApplicationClusterEntryPoint;
import org.apache.flink.client.program.PackagedProgram;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.entrypoint.ClusterEntrypoint;
import org.apache.flink.runtime.resourcemanager.StandaloneResourceManagerFactory;

/** A JobManager of one job, as an application cluster has it: its own entry point is in no package of a registry. */
public final class Application extends ApplicationClusterEntryPoint {
  private Application(Configuration configuration, PackagedProgram program) {
    super(configuration, program, StandaloneResourceManagerFactory.getInstance());
  }

  @Override
  protected boolean supportsReactiveMode() {
    return true;
  }

  /** `--configDir` and the directory, then the arguments of the job. */
  public static void main(String[] args) throws Exception {
    Configuration configuration = GlobalConfiguration.loadConfiguration(args[1]);
    PackagedProgram program =
        PackagedProgram.newBuilder()
            .setEntryPointClassName(SleepyJob.class.getName())
            .setArguments(Arrays.copyOfRange(args, 2, args.length))
            .setConfiguration(configuration)
            .build();
    ClusterEntrypoint.runClusterEntrypoint(new Application(configuration, program));
  }
}
