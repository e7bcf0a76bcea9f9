package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// Children are started from the main thread, which lives as long as the
// process: the kernel counts the death of the thread that started a child as
// the death of its parent (PR_SET_PDEATHSIG), and other threads come and go.
func init() { runtime.LockOSThread() }

// An order is one line on standard input.
type order struct {
	// Start names a process that is to be started with Arguments; its output
	// goes to logs/NAME.log in the supervisor's directory. Program is what to
	// run, this binary when empty.
	Start     string   `json:"start"`
	Program   string   `json:"program"`
	Arguments []string `json:"arguments"`
	// Stop names a process that is to be killed.
	Stop string `json:"stop"`
}

// A report is one line on standard output.
type report struct {
	Directory string `json:"directory,omitempty"` // the first report
	Started   string `json:"started,omitempty"`
	Refused   string `json:"refused,omitempty"` // could not be started
	Ended     string `json:"ended,omitempty"`
	Pid       int    `json:"pid,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

type supervisor struct {
	directory string
	reports   sync.Mutex
	out       *json.Encoder
	children  sync.Map // of *exec.Cmd by name
	alive     sync.WaitGroup
}

// Supervise owns a temporary directory and the processes of one part of the
// world. It starts and kills them on order, and when its standard input closes,
// which the kernel sees to should the orderer die, it kills them all, removes
// the directory and ends. Should it be killed itself, the kernel kills its
// children; only then does the directory stay.
func supervise(arguments []string) error {
	if len(arguments) != 0 {
		return errors.New("takes no arguments, only orders on standard input")
	}
	directory, err := os.MkdirTemp("", "sluice-world-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	if err := os.Mkdir(filepath.Join(directory, "logs"), 0o755); err != nil {
		return err
	}
	s := &supervisor{directory: directory, out: json.NewEncoder(os.Stdout)}
	defer s.stopAll()
	end := endSignals()
	s.report(report{Directory: directory})
	orders := make(chan []byte)
	go read(os.Stdin, orders)
	for {
		select {
		case line, open := <-orders:
			if !open {
				return nil
			}
			if err := s.obey(line); err != nil {
				return err
			}
		case <-end:
			return nil
		}
	}
}

func read(input io.Reader, lines chan<- []byte) {
	defer close(lines)
	for scanner := bufio.NewReader(input); ; {
		line, err := scanner.ReadBytes('\n')
		if err != nil {
			return // the orderer is gone, or has no more orders: the regular end
		}
		lines <- line
	}
}

func (s *supervisor) obey(line []byte) error {
	var next order
	if err := json.Unmarshal(line, &next); err != nil {
		return fmt.Errorf("an order that cannot be read: %w", err)
	}
	if next.Start != "" {
		s.start(next)
	} else if child, found := s.children.Load(next.Stop); found {
		child.(*exec.Cmd).Process.Kill()
	}
	return nil
}

func (s *supervisor) start(next order) {
	refuse := func(err error) { s.report(report{Refused: next.Start, Reason: err.Error()}) }
	log, err := os.OpenFile(filepath.Join(s.directory, "logs", next.Start+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		refuse(err)
		return
	}
	defer log.Close()
	program := next.Program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			refuse(err)
			return
		}
	}
	child := exec.Command(program, next.Arguments...)
	child.Dir, child.Stdout, child.Stderr = s.directory, log, log
	child.Env = append(os.Environ(), "GOMEMLIMIT=1GiB")
	child.SysProcAttr = diesWithParent()
	if err := child.Start(); err != nil {
		refuse(err)
		return
	}
	s.children.Store(next.Start, child)
	s.report(report{Started: next.Start, Pid: child.Process.Pid})
	s.alive.Go(func() {
		child.Wait()
		s.children.CompareAndDelete(next.Start, child)
		s.report(report{Ended: next.Start, Pid: child.Process.Pid, Reason: child.ProcessState.String()})
	})
}

// What the processes hold is thrown away with the directory, so none is asked
// to end well: a control plane takes eight seconds for that.
func (s *supervisor) stopAll() {
	s.children.Range(func(_, child any) bool {
		child.(*exec.Cmd).Process.Kill()
		return true
	})
	s.alive.Wait()
}

// Nobody may be left to read a report.
func (s *supervisor) report(next report) {
	s.reports.Lock()
	defer s.reports.Unlock()
	_ = s.out.Encode(next)
}

// A Ctrl-C in the terminal reaches the whole process group, and a report to an
// orderer that is gone raises SIGPIPE: neither may end the supervisor before it
// has cleaned up.
func endSignals() <-chan os.Signal {
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	return end
}
