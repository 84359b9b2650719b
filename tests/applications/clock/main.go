// Command clock tells the time, and what the load balancer and the roller ask.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
)

func answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		tell(w, map[string]string{"time": time.Now().UTC().Format(time.RFC3339), "id": uuid.NewString()})
	})
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) {
		tell(w, map[string]string{"version": os.Getenv("APPLICATION_VERSION")})
	})
	return mux
}

func tell(w http.ResponseWriter, what map[string]string) {
	if err := json.NewEncoder(w).Encode(what); err != nil {
		log.Print(err)
	}
}

func main() {
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), answers()))
}
