package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type proxy struct {
	upstream  *url.URL
	transport http.RoundTripper
	book      book

	mutex sync.Mutex
	cuts  map[chan bool]bool // of each watch that is open; true: cut it in the middle of an event
}

func newProxy(upstream *url.URL, transport http.RoundTripper) *proxy {
	return &proxy{upstream: upstream, transport: transport, cuts: map[chan bool]bool{},
		book: book{records: []*record{}}}
}

// PUT /plan replaces the plan and empties the record, GET /record shows it, POST /cut ends all open
// watches, POST /cut?middle=true in the middle of an event.
func (p *proxy) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /plan", func(w http.ResponseWriter, r *http.Request) {
		next := plan{}
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&next)
		if err == nil {
			err = p.book.set(next)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("GET /record", func(w http.ResponseWriter, _ *http.Request) {
		shown, err := p.book.show()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(shown)
	})
	mux.HandleFunc("POST /cut", func(_ http.ResponseWriter, r *http.Request) {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		for cut := range p.cuts {
			cut <- r.URL.Query().Get("middle") == "true"
			delete(p.cuts, cut)
		}
	})
	return mux
}

func (p *proxy) handlerOf(client string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(client, w, r) })
}

// The client sees its stream reset.
func abort() { panic(http.ErrAbortHandler) }

func (p *proxy) serve(client string, w http.ResponseWriter, r *http.Request) {
	taken, entry := p.book.take(client, r)
	do := ""
	if taken != nil {
		do = taken.Do
	}
	switch do {
	case "answer":
		answer(w, r, taken)
		return
	case "endless":
		answerWithoutEnd(w, r)
		return
	case "delay":
		time.Sleep(time.Duration(taken.DelayMS) * time.Millisecond)
	case "kill-before":
		syscall.Kill(taken.PID, syscall.SIGKILL)
		abort()
	}
	response := p.forward(r)
	defer response.Body.Close()
	p.book.answered(entry, response.StatusCode)
	if do == "lose" || do == "kill-after" {
		io.Copy(io.Discard, response.Body)
		if do == "kill-after" {
			syscall.Kill(taken.PID, syscall.SIGKILL)
		}
		abort()
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if isWatch(r) && response.StatusCode == http.StatusOK {
		p.passEvents(client, w, response.Body)
	} else if _, err := io.Copy(w, response.Body); err != nil {
		abort()
	}
}

// A write that was sent is sent whole, whatever becomes of the client.
func (p *proxy) forward(r *http.Request) *http.Response {
	ctx := r.Context()
	if r.Method != http.MethodGet {
		ctx = context.WithoutCancel(ctx)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		abort()
	}
	target := *r.URL
	target.Scheme, target.Host = p.upstream.Scheme, p.upstream.Host
	request, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		abort()
	}
	request.Header = r.Header.Clone()
	response, err := p.transport.RoundTrip(request)
	if err != nil {
		abort()
	}
	return response
}

var reasons = map[int]string{401: "Unauthorized", 409: "Conflict", 410: "Expired",
	429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}

// As a kube-apiserver would say it.
func answer(w http.ResponseWriter, r *http.Request, taken *rule) {
	reason := reasons[taken.Code]
	if taken.Code == http.StatusConflict && r.Method == http.MethodPost {
		reason = "AlreadyExists"
	}
	w.Header().Set("Content-Type", "application/json")
	if taken.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(taken.RetryAfter))
	}
	w.WriteHeader(taken.Code)
	json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1",
		"status": "Failure", "message": "answered by the fault proxy", "reason": reason,
		"code": taken.Code})
}

func answerWithoutEnd(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"kind":"List","metadata":{"resourceVersion":"1"},"items":[`)
	spaces := bytes.Repeat([]byte(" "), 1<<16)
	for r.Context().Err() == nil {
		if _, err := w.Write(spaces); err != nil {
			return
		}
	}
}

func (p *proxy) openWatch() chan bool {
	cut := make(chan bool, 1)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cuts[cut] = true
	return cut
}

func (p *proxy) closeWatch(cut chan bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.cuts, cut)
}

// An event is a line.
func (p *proxy) passEvents(client string, w http.ResponseWriter, from io.Reader) {
	cut := p.openWatch()
	defer p.closeWatch(cut)
	flush := http.NewResponseController(w).Flush
	if flush() != nil {
		return
	}
	lines := make(chan []byte)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		defer close(lines)
		reader := bufio.NewReader(from)
		for {
			line, err := reader.ReadBytes('\n')
			if err != nil {
				return
			}
			select {
			case lines <- line:
			case <-ended:
				return
			}
		}
	}()
	for {
		select {
		case middle := <-cut:
			if middle {
				io.WriteString(w, `{"type":"MODIFIED","object":{"kind":"VDCU`)
				flush()
				abort()
			}
			return
		case line, open := <-lines:
			if !open || !passEvent(p.book.watches(client), w, line) || flush() != nil {
				return
			}
		}
	}
}

func passEvent(plan watchPlan, w io.Writer, line []byte) bool {
	if plan.Drop {
		return true
	}
	time.Sleep(time.Duration(plan.DelayMS) * time.Millisecond)
	if plan.Duplicate {
		if _, err := w.Write(line); err != nil {
			return false
		}
	}
	_, err := w.Write(line)
	return err == nil
}
