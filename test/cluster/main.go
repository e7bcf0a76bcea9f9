// Testworld is the world the tests run Sluice in: one binary that holds a real
// Kubernetes control plane, KWOK in the place of the kubelets, a real OCI
// registry, and what it takes to start and end them without leaving a trace.
// Every server is the original program, linked in as a Go module.
//
//	testworld supervise                   starts and ends the others (supervise.go)
//	testworld pki DIR SERVER-URL          keys, certificates and kubeconfigs (pki.go)
//	testworld registry FLAGS              an OCI registry on loopback (registry.go)
//	testworld etcd | kube-apiserver | kube-controller-manager | kube-scheduler | kubectl | kwok FLAGS
//	testworld kwok-stages                 KWOK's own default stages, for kwok --config
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// An applet runs with os.Args[0] set to its name and returns the exit code.
type applet func() int

var applets = map[string]applet{
	"etcd":                    etcd,
	"kube-apiserver":          apiserver,
	"kube-controller-manager": controllerManager,
	"kube-scheduler":          scheduler,
	"kubectl":                 kubectl,
	"kwok":                    kwok,
	"kwok-stages":             kwokStages,
	"pki":                     reported(pki),
	"registry":                reported(registry),
	"supervise":               reported(supervise),
}

func main() {
	if len(os.Args) < 2 {
		fail("usage: testworld APPLET [flags]; applets: " + strings.Join(names(), " "))
	}
	run, known := applets[os.Args[1]]
	if !known {
		fail(fmt.Sprintf("testworld: no applet %q; applets: %s", os.Args[1], strings.Join(names(), " ")))
	}
	os.Args = os.Args[1:]
	holdLifeline()
	os.Exit(run())
}

// LifelineVariable names the descriptor of a pipe that the caller holds open
// for as long as this process shall live. The kernel closes it when the caller
// dies, however it dies.
const LifelineVariable = "SLUICE_LIFELINE"

func holdLifeline() {
	number, err := strconv.Atoi(os.Getenv(LifelineVariable))
	if err != nil {
		return
	}
	os.Unsetenv(LifelineVariable)
	lifeline := os.NewFile(uintptr(number), "lifeline")
	go func() {
		io.Copy(io.Discard, lifeline)
		os.Exit(1)
	}()
}

func reported(run func(arguments []string) error) applet {
	return func() int {
		if err := run(os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
			return 1
		}
		return 0
	}
}

func names() []string {
	all := make([]string, 0, len(applets))
	for name := range applets {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
