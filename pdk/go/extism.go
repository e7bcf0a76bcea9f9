package sluice

import (
	"encoding/json"
	"fmt"
)

// The functions of the Extism host are declared here: the ordinary toolchain needs no more than that.

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u64
func inputLoad64(at uint64) uint64

//go:wasmimport extism:host/env input_load_u8
func inputLoad8(at uint64) uint32

//go:wasmimport extism:host/env alloc
func alloc(length uint64) uint64

//go:wasmimport extism:host/env length
func length(at uint64) uint64

//go:wasmimport extism:host/env load_u8
func load8(at uint64) uint32

//go:wasmimport extism:host/env store_u64
func store64(at uint64, value uint64)

//go:wasmimport extism:host/env store_u8
func store8(at uint64, value uint32)

//go:wasmimport extism:host/env output_set
func outputSet(at uint64, length uint64)

//go:wasmimport extism:host/env error_set
func errorSet(at uint64)

//go:wasmimport extism:host/env log_info
func logInfo(at uint64)

//go:wasmimport extism:host/env log_warn
func logWarn(at uint64)

//go:wasmimport extism:host/env http_request
func httpRequest(request uint64, body uint64) uint64

//go:wasmimport extism:host/env http_status_code
func httpStatus() int32

// Run reads the input, and hands over what the step answers or why it does not; what an exported step returns. An error ends
// the step without an answer: its message becomes the policy's condition, and nothing is scaled.
func Run(step func(input *StepInput) (any, error)) int32 {
	input := new(StepInput)
	if err := json.Unmarshal(read(), input); err != nil {
		return fail(err)
	}
	answer, err := step(input)
	if err != nil {
		return fail(err)
	}
	text, err := marshal(answer)
	if err != nil {
		return fail(err)
	}
	outputSet(block(text), uint64(len(text)))
	return 0
}

// Info writes to the log of the pass, of which 64 lines and 16 KiB a call are kept.
func Info(format string, values ...any) { logInfo(block(fmt.Appendf(nil, format, values...))) }

// Warn writes a warning to the log of the pass.
func Warn(format string, values ...any) { logWarn(block(fmt.Appendf(nil, format, values...))) }

// Request is what is asked of a service that the policy grants.
type Request struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
}

// Ask asks a service and returns the status and the body of its answer. The host performs the request; the step is run again
// from its start when the answer is there. Status 0 is no answer.
func Ask(request Request, body []byte) (status int, answer []byte, err error) {
	if request.Headers == nil {
		request.Headers = map[string]string{}
	}
	text, err := json.Marshal(request)
	if err != nil {
		return 0, nil, err
	}
	sent := uint64(0)
	if body != nil {
		sent = block(body)
	}
	at := httpRequest(block(text), sent)
	if at != 0 {
		answer = make([]byte, length(at))
		for i := range answer {
			answer[i] = byte(load8(at + uint64(i)))
		}
	}
	return int(httpStatus()), answer, nil
}

func fail(err error) int32 {
	errorSet(block([]byte(err.Error())))
	return 1
}

func read() []byte {
	bytes := make([]byte, inputLength())
	words := len(bytes) &^ 7
	for at := 0; at < words; at += 8 {
		word := inputLoad64(uint64(at))
		for i := range 8 {
			bytes[at+i] = byte(word >> (8 * i))
		}
	}
	for at := words; at < len(bytes); at++ {
		bytes[at] = byte(inputLoad8(uint64(at)))
	}
	return bytes
}

func block(bytes []byte) uint64 {
	at := alloc(uint64(len(bytes)))
	words := len(bytes) &^ 7
	for i := 0; i < words; i += 8 {
		word := uint64(0)
		for j := range 8 {
			word |= uint64(bytes[i+j]) << (8 * j)
		}
		store64(at+uint64(i), word)
	}
	for i := words; i < len(bytes); i++ {
		store8(at+uint64(i), uint32(bytes[i]))
	}
	return at
}
