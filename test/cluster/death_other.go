//go:build !linux

package main

import "syscall"

// Other systems have no such attribute: there the children outlive a
// supervisor that is killed itself, but not one whose orderer is killed.
func diesWithParent() *syscall.SysProcAttr { return nil }
