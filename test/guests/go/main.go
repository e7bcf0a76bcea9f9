// A guest in Go. The Extism functions are declared here, since the ordinary toolchain needs no more than that.
package main

import (
	"encoding/json"
	"fmt"
	"math"
)

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

//go:wasmimport extism:host/env store_u8
func store8(at uint64, value uint32)

//go:wasmimport extism:host/env output_set
func outputSet(at uint64, length uint64)

//go:wasmimport extism:host/env error_set
func errorSet(at uint64)

//go:wasmimport extism:host/env http_request
func httpRequest(request uint64, body uint64) uint64

//go:wasmimport extism:host/env http_status_code
func httpStatus() int32

func main() {}

func block(bytes []byte) uint64 {
	at := alloc(uint64(len(bytes)))
	for i, one := range bytes {
		store8(at+uint64(i), uint32(one))
	}
	return at
}

func input() []byte {
	bytes := make([]byte, inputLength())
	words := len(bytes) &^ 7
	for at := 0; at < words; at += 8 {
		word := inputLoad64(uint64(at))
		for i := 0; i < 8; i++ {
			bytes[at+i] = byte(word >> (8 * i))
		}
	}
	for at := words; at < len(bytes); at++ {
		bytes[at] = byte(inputLoad8(uint64(at)))
	}
	return bytes
}

func answer(value any) int32 {
	text, err := json.Marshal(value)
	if err != nil {
		return fail(err)
	}
	outputSet(block(text), uint64(len(text)))
	return 0
}

func fail(err error) int32 {
	errorSet(block([]byte(err.Error())))
	return 1
}

type step struct {
	Topology struct {
		Nodes []struct {
			Name string `json:"name"`
		} `json:"nodes"`
	} `json:"topology"`
	Sources map[string]struct {
		Series []struct {
			Node  string  `json:"node"`
			Value float64 `json:"value"`
		} `json:"series"`
	} `json:"sources"`
	Config struct {
		URL string `json:"url"`
	} `json:"config"`
}

func read() (step, error) {
	var read step
	err := json.Unmarshal(input(), &read)
	return read, err
}

//go:wasmexport monitor
func monitor() int32 {
	step, err := read()
	if err != nil {
		return fail(err)
	}
	fmt.Println("asking", step.Config.URL)
	request, _ := json.Marshal(map[string]any{"url": step.Config.URL, "method": "GET", "headers": map[string]string{}})
	at := httpRequest(block(request), 0)
	body := make([]byte, length(at))
	for i := range body {
		body[i] = byte(load8(at + uint64(i)))
	}
	return answer(map[string]any{"status": httpStatus(), "body": string(body)})
}

//go:wasmexport analyze
func analyze() int32 { return answer(struct{}{}) }

//go:wasmexport plan
func plan() int32 {
	step, err := read()
	if err != nil {
		return fail(err)
	}
	sums := map[string]float64{}
	for _, sample := range step.Sources["rates"].Series {
		sums[sample.Node] += sample.Value
	}
	wanted := map[string]map[string]int{}
	for _, node := range step.Topology.Nodes {
		if sum, said := sums[node.Name]; said {
			wanted[node.Name] = map[string]int{"parallelism": int(math.Ceil(sum / 100))}
		}
	}
	return answer(map[string]any{"nodes": wanted})
}
