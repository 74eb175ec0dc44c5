// Package serve is what the sample's backends share: who they say they are, their
// health check, their end, and the faults that a test may ask them for.
package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// drain is how long open requests may take after SIGTERM; Fargate kills a task
// after stopTimeout, 30 s unless the task definition says less.
const drain = 3 * time.Second

// Identity is what a backend says of itself in every answer.
type Identity struct {
	Service     string `json:"service"`
	Version     string `json:"version"`
	Commit      string `json:"commit"`
	Environment string `json:"environment"`
}

// Identify says who runs here. The commit that the build baked in wins over the
// environment's: it cannot be wrong about which code this is.
func Identify(service, version, baked string) Identity {
	return Identity{
		Service:     service,
		Version:     strings.TrimSpace(version),
		Commit:      cmp.Or(baked, os.Getenv("PREVIEW_COMMIT"), "unknown"),
		Environment: cmp.Or(os.Getenv("PREVIEW_ENVIRONMENT"), "baseline"),
	}
}

// Run serves h and /healthz on $PORT until SIGTERM or SIGINT, and returns the
// status to exit with. The background function runs until then; it may be nil.
func Run(id Identity, h http.Handler, background func(context.Context)) int {
	logger(id)
	if os.Getenv("CRASH") == "1" {
		slog.Error("crash asked for by CRASH=1: cannot reach the database")
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	server := &http.Server{Addr: ":" + cmp.Or(os.Getenv("PORT"), "8080"), Handler: faults(ctx, h), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	slog.Info("listening", "address", server.Addr, "version", id.Version, "commit", id.Commit, "environment", id.Environment)
	if background != nil {
		go background(ctx)
	}
	select {
	case err := <-ended:
		slog.Error("serve", "error", err)
		return 1
	case <-ctx.Done():
	}
	slog.Info("stopping")
	last, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := server.Shutdown(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		slog.Error("stop", "error", err)
		return 1
	}
	return 0
}

// JSON answers v.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		slog.Warn("answer", "error", err)
	}
}

// faults adds the health check and the faults that the variables ask for.
func faults(ctx context.Context, h http.Handler) http.Handler {
	health, err := strconv.Atoi(cmp.Or(os.Getenv("HEALTH_STATUS"), "200"))
	if err != nil || health < 200 || health > 599 {
		health = http.StatusInternalServerError
	}
	mux := http.NewServeMux()
	mux.Handle("/", locked(h))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if health >= 400 {
			slog.Error("unhealthy as HEALTH_STATUS asks", "status", health)
		}
		JSON(w, health, map[string]bool{"healthy": health < 400})
	})
	if os.Getenv("HANG") != "1" {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-ctx.Done():
		case <-r.Context().Done():
		}
	})
}

// locked answers everything with LOCKED, as an API does that wants a login.
func locked(h http.Handler) http.Handler {
	status, err := strconv.Atoi(os.Getenv("LOCKED"))
	if err != nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		JSON(w, status, map[string]string{"error": "no way in"})
	})
}

// logger makes JSON lines with the service's name the default log.
func logger(id Identity) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cmp.Or(os.Getenv("LOG_LEVEL"), "info"))); err != nil {
		level = slog.LevelInfo
	}
	handler := slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level})
	slog.SetDefault(slog.New(handler).With("service", id.Service))
}
