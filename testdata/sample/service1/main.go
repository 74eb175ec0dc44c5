// Command service1 is the first backend of the shop. It calls service2 and
// consumes the orders queue.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"shop/serve"
)

//go:embed version.txt
var version string

// commit is baked in by the build: -ldflags "-X main.commit=…".
var commit string

func main() {
	id := serve.Identify("service1", version, commit)
	orders := &orders{url: os.Getenv("ORDERS_QUEUE_URL")}
	var consume func(context.Context)
	if orders.url != "" {
		consume = orders.consume
	}
	os.Exit(serve.Run(id, routes(id, orders), consume))
}

func routes(id serve.Identity, orders *orders) http.Handler {
	mux := http.NewServeMux()
	self := func(w http.ResponseWriter, r *http.Request) { serve.JSON(w, http.StatusOK, id) }
	mux.HandleFunc("GET /service1", self)
	mux.HandleFunc("GET /service1/", self)
	mux.HandleFunc("GET /service1/orders", func(w http.ResponseWriter, r *http.Request) {
		serve.JSON(w, http.StatusOK, struct {
			serve.Identity
			Queue  string   `json:"queue"`
			Orders []string `json:"orders"`
		}{id, orders.url, orders.list()})
	})
	mux.HandleFunc("GET /service1/downstream", func(w http.ResponseWriter, r *http.Request) {
		answer, err := downstream(r.Context(), os.Getenv("SERVICE2_HOST"))
		if err != nil {
			serve.JSON(w, http.StatusBadGateway, map[string]any{"service": id.Service, "commit": id.Commit, "error": err.Error()})
			return
		}
		serve.JSON(w, http.StatusOK, struct {
			serve.Identity
			Downstream serve.Identity `json:"downstream"`
		}{id, answer})
	})
	return mux
}

// downstream asks service2 who it is.
func downstream(ctx context.Context, host string) (serve.Identity, error) {
	var answer serve.Identity
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(host, "/")+"/service2", nil)
	if err != nil {
		return answer, fmt.Errorf("call service2: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer, fmt.Errorf("call service2: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("call service2: status %d", response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read answer of service2: %w", err)
	}
	return answer, nil
}
