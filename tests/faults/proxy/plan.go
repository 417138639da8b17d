package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// A rule says to which requests something happens, and what. Of several that match the first with
// something left to do counts.
type rule struct {
	Client        string `json:"client"`        // empty: any
	Method        string `json:"method"`        // empty: any write of an object (see isWrite); "*": any
	Path          string `json:"path"`          // a regular expression; empty: any
	Watch         bool   `json:"watch"`         // watches and nothing else, whatever the method
	Authorization string `json:"authorization"` // the header as it is; empty: any
	Nth           int    `json:"nth"`           // of the requests that match, from 1; 0: each
	FirstOfEach   bool   `json:"firstOfEach"`   // only the client's first with its method and path
	Times         int    `json:"times"`         // at most so often; 0: always

	// "answer": Code, not forwarded. "lose": forwarded, the answer is lost. "kill-before", "kill-after":
	// SIGKILL of PID, before the request is forwarded (it never is then) or after it was answered.
	// "delay": by DelayMS, then forwarded. "endless": an answer that never ends, not forwarded.
	Do         string `json:"do"`
	Code       int    `json:"code"`
	RetryAfter int    `json:"retryAfter"` // seconds; 0: no such header
	PID        int    `json:"pid"`
	DelayMS    int    `json:"delayMS"`

	path    *regexp.Regexp
	matched int
	fired   int
	seen    map[string]bool
}

// What happens to the events of watches that pass.
type watchPlan struct {
	Client    string `json:"client"` // empty: any
	DelayMS   int    `json:"delayMS"`
	Duplicate bool   `json:"duplicate"`
	Drop      bool   `json:"drop"`
}

type plan struct {
	Rules   []*rule   `json:"rules"`
	Watches watchPlan `json:"watches"`
}

// A write as it was seen.
type record struct {
	Client string `json:"client"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Did    string `json:"did"`  // what a rule did to it; empty: none matched
	Code   int    `json:"code"` // of the API server's answer; 0: it was not asked, or gave none
}

// The plan and what came of it. All methods may be called at any time.
type book struct {
	mutex   sync.Mutex
	plan    plan
	records []*record
}

func (b *book) set(next plan) error {
	for _, r := range next.Rules {
		expression, err := regexp.Compile(r.Path)
		if err != nil {
			return err
		}
		r.path = expression
		r.seen = map[string]bool{}
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.plan = next
	b.records = []*record{}
	return nil
}

func (b *book) watches(client string) watchPlan {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.plan.Watches.Client != "" && b.plan.Watches.Client != client {
		return watchPlan{}
	}
	return b.plan.Watches
}

// Events and Leases are written whenever it suits, so they are not counted.
func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/events") &&
		!strings.Contains(r.URL.Path, "/leases")
}

func isWatch(r *http.Request) bool {
	watch := r.URL.Query().Get("watch")
	return watch == "true" || watch == "1"
}

func (r *rule) matches(client string, request *http.Request) bool {
	if r.Client != "" && r.Client != client || r.Watch != isWatch(request) && (r.Watch || r.Method != "*") {
		return false
	}
	switch {
	case r.Watch, r.Method == "*":
	case r.Method == "":
		if !isWrite(request) {
			return false
		}
	case r.Method != request.Method:
		return false
	}
	if r.Authorization != "" && request.Header.Get("Authorization") != r.Authorization {
		return false
	}
	return r.path.MatchString(request.URL.Path)
}

// Counts the request that matches; whether it is one to which something happens.
func (r *rule) takes(client string, request *http.Request) bool {
	r.matched++
	what := client + " " + request.Method + " " + request.URL.Path
	first := !r.seen[what]
	r.seen[what] = true
	if r.Nth > 0 && r.matched != r.Nth || r.FirstOfEach && !first ||
		r.Times > 0 && r.fired >= r.Times {
		return false
	}
	r.fired++
	return true
}

// What shall happen to the request, or nil; it is recorded where it is a write.
func (b *book) take(client string, request *http.Request) (*rule, *record) {
	entry := &record{Client: client, Method: request.Method, Path: request.URL.Path}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	var taken *rule
	for _, r := range b.plan.Rules {
		if taken == nil && r.matches(client, request) && r.takes(client, request) {
			taken = r
			entry.Did = r.Do
		}
	}
	if request.Method != http.MethodGet {
		b.records = append(b.records, entry)
	}
	return taken, entry
}

func (b *book) answered(entry *record, code int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	entry.Code = code
}

// The writes and, by rule, how often it did something.
func (b *book) show() ([]byte, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	fired := []int{}
	for _, r := range b.plan.Rules {
		fired = append(fired, r.fired)
	}
	return json.Marshal(map[string]any{"writes": b.records, "fired": fired})
}
