// Command service2 is the second backend of the shop, called by service1.
package main

import (
	_ "embed"
	"net/http"
	"os"

	"shop/serve"
)

//go:embed version.txt
var version string

// commit is baked in by the build: -ldflags "-X main.commit=…".
var commit string

func main() {
	id := serve.Identify("service2", version, commit)
	mux := http.NewServeMux()
	self := func(w http.ResponseWriter, r *http.Request) { serve.JSON(w, http.StatusOK, id) }
	mux.HandleFunc("GET /service2", self)
	mux.HandleFunc("GET /service2/", self)
	os.Exit(serve.Run(id, mux, nil))
}
