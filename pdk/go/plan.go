package sluice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const largest = math.MaxInt32

// PlanBuilder is what is wanted: the answer of the plan step. A node that is not in it stays as it is; nodes keep their order.
type PlanBuilder struct {
	nodes        []string
	wanted       map[string]wanted
	recheckAfter float64
	carry        any
}

type wanted struct {
	how    string
	x      float64
	reason string
}

// NewPlan is a plan that wants nothing.
func NewPlan() *PlanBuilder { return &PlanBuilder{wanted: map[string]wanted{}} }

// Want wants a whole number of instances of a node, and says why. Fails for a number that is none, or not whole.
func (plan *PlanBuilder) Want(node string, parallelism float64, reason string) error {
	if math.Floor(parallelism) != parallelism {
		return fmt.Errorf("%s: %s is not whole: round it, or use demand", node, number(parallelism))
	}
	return plan.set(node, wanted{"parallelism", parallelism, reason})
}

// Demand wants so much of a node, not rounded: the host rounds it up.
func (plan *PlanBuilder) Demand(node string, demand float64, reason string) error {
	return plan.set(node, wanted{"demand", demand, reason})
}

// RecheckAfter asks for the next pass in so many seconds, if that is sooner than the policy's interval.
func (plan *PlanBuilder) RecheckAfter(seconds float64) { plan.recheckAfter = seconds }

// Remember says what the next pass is given as carry, at most 16 KiB of JSON.
func (plan *PlanBuilder) Remember(carry any) { plan.carry = carry }

func (plan *PlanBuilder) set(node string, want wanted) error {
	if !(want.x >= 0 && want.x <= largest) {
		return fmt.Errorf("%s: %s is no parallelism", node, number(want.x))
	}
	if _, known := plan.wanted[node]; !known {
		plan.nodes = append(plan.nodes, node)
	}
	plan.wanted[node] = want
	return nil
}

// MarshalJSON writes the nodes in the order in which they were wanted; a map would have sorted them.
func (plan *PlanBuilder) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	if plan.recheckAfter != 0 {
		fmt.Fprintf(&text, `"recheckAfter":%s,`, number(plan.recheckAfter))
	}
	if plan.carry != nil {
		carry, err := marshal(plan.carry)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, `"carry":%s,`, carry)
	}
	text.WriteString(`"nodes":{`)
	for i, node := range plan.nodes {
		if i > 0 {
			text.WriteByte(',')
		}
		want := plan.wanted[node]
		fmt.Fprintf(&text, `%s:{"%s":%s`, quote(node), want.how, number(want.x))
		if want.reason != "" {
			fmt.Fprintf(&text, `,"reason":%s`, quote(want.reason))
		}
		text.WriteByte('}')
	}
	text.WriteString("}}")
	return text.Bytes(), nil
}

// marshal is encoding/json without its care for browsers, which spells <, > and & in six characters each.
func marshal(value any) ([]byte, error) {
	if plan, ok := value.(*PlanBuilder); ok {
		return plan.MarshalJSON()
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

func quote(text string) string {
	// What is no text in UTF-8 was none before either: a string is always written.
	quoted, _ := marshal(text)
	// These two are spelled out for browsers as well.
	return strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(string(quoted))
}

// Figure is a number for people: at most three decimals and no trailing zeros, such as 420, 4.2 or 0.333.
func Figure(x float64) string {
	if !(math.Abs(x) < 1e15) {
		return number(x)
	}
	whole, rest := math.Modf(math.Abs(x) * 1000)
	thousandths := int64(whole)
	if rest >= 0.5 {
		thousandths++
	}
	sign := ""
	if x < 0 && thousandths > 0 {
		sign = "-"
	}
	decimals := strings.TrimRight(fmt.Sprintf("%03d", thousandths%1000), "0")
	if decimals != "" {
		decimals = "." + decimals
	}
	return fmt.Sprintf("%s%d%s", sign, thousandths/1000, decimals)
}

// number is a number as JavaScript writes it: the fewest digits that mean it, an exponent from 10^21 on and below 10^-6.
func number(x float64) string {
	size := math.Abs(x)
	if size == 0 {
		return "0"
	}
	if size >= 1e-6 && size < 1e21 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strings.Replace(strconv.FormatFloat(x, 'e', -1, 64), "e-0", "e-", 1)
}
