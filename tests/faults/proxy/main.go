// Faultproxy stands before a kube-apiserver and makes things go wrong when it is told to: answers
// in its place, loses answers, kills a client before or after a write, cuts, delays, drops and
// duplicates watches. Each client has a port of its own, by which it is known; bearer tokens pass.
//
// It prints one line of JSON when it listens: {"control": URL, "clients": {NAME: URL}}.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	server := flag.String("server", "", "URL of the kube-apiserver")
	pki := flag.String("pki", "", "folder with ca.crt, apiserver.crt and apiserver.key")
	clients := flag.String("clients", "", "names, comma-separated: each gets a port")
	flag.Parse()
	if err := run(*server, *pki, strings.Split(*clients, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "faultproxy:", err)
		os.Exit(1)
	}
}

func run(server, pki string, clients []string) error {
	upstream, err := url.Parse(server)
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	certificate, err := tls.LoadX509KeyPair(filepath.Join(pki, "apiserver.crt"),
		filepath.Join(pki, "apiserver.key"))
	if err != nil {
		return err
	}
	proxy := newProxy(upstream, &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
	})

	urls := map[string]string{}
	failed := make(chan error)
	for _, client := range clients {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		urls[client] = "https://" + listener.Addr().String()
		serving := &http.Server{
			Handler:   proxy.handlerOf(client),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
			ErrorLog:  log.New(io.Discard, "", 0), // clients die on purpose
		}
		go func() { failed <- serving.ServeTLS(listener, "", "") }()
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { failed <- http.Serve(control, proxy.control()) }()
	err = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"control": "http://" + control.Addr().String(), "clients": urls})
	if err != nil {
		return err
	}
	return <-failed
}
