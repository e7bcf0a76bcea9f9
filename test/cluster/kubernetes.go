package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	apiserverapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllerapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	schedulerapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodelease "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwokcmd "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwoksignals "sigs.k8s.io/kwok/pkg/utils/signals"

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

func etcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func apiserver() int { return kubernetes(apiserverapp.NewAPIServerCommand()) }

func controllerManager() int { return kubernetes(controllerapp.NewControllerManagerCommand()) }

func scheduler() int { return kubernetes(schedulerapp.NewSchedulerCommand()) }

func kubectl() int { return kubernetes(kubectlcmd.NewDefaultKubectlCommand()) }

func kubernetes(command *cobra.Command) int { return cli.Run(command) }

// The Kubernetes packages linked in beside KWOK leave a --version flag in the
// global set that is not a boolean, and cobra would hand it to KWOK's command:
// KWOK gets an empty global set.
func kwok() int {
	pflag.CommandLine = pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	shared := pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	shared.ParseErrorsAllowlist.UnknownFlags = true
	shared.Usage = func() {}
	ctx, logger := kwoklog.InitFlags(kwoksignals.SetupSignalContext(), shared)
	ctx, err := kwokconfig.InitFlags(ctx, shared)
	if err != nil {
		logger.Error("the configuration cannot be read", err)
		return 1
	}
	command := kwokcmd.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(shared)
	if err := command.ExecuteContext(ctx); err != nil {
		logger.Error("ended", err)
		return 1
	}
	return 0
}

// KWOK has no stage of its own when it is given none since 0.8, but carries
// those of earlier versions.
func kwokStages() int {
	stages := []string{
		nodefast.DefaultNodeInit,
		nodelease.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady,
		podfast.DefaultPodComplete,
		podfast.DefaultPodDelete,
	}
	for _, stage := range stages {
		fmt.Printf("---\n%s\n", stage)
	}
	return 0
}
