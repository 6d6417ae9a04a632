// Receives alerts of Exosphere Alerts. Go's standard library alone.
//
//	ALERTS_SECRET=whsec_… PORT=9000 go run .
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// A request that is older was sent again by somebody else.
	tolerance = 5 * time.Minute
	// An alert is a few KiB; event data that an endpoint asks for may be 1 MiB.
	maxBodyBytes = 2 << 20
	// Ids that are remembered. With several processes, use a unique key in a database.
	maxIDs = 100_000
)

func mac(key []byte, parts ...[]byte) []byte {
	hash := hmac.New(sha256.New, key)
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}

func checkTime(seconds string, now time.Time) error {
	number, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return errors.New("a timestamp is not a number")
	}
	if age := now.Sub(time.Unix(number, 0)); age > tolerance || age < -tolerance {
		return errors.New("the request is too old, or from the future")
	}
	return nil
}

// verify checks both signatures.
func verify(secret string, header http.Header, body []byte, now time.Time) error {
	// The platform's own: the secret's text as it was shown is the key.
	seconds, given := "", []string{}
	for _, part := range strings.Split(header.Get("x-exosphere-signature"), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			seconds = value
		case "v1":
			given = append(given, value)
		}
	}
	if seconds == "" {
		return errors.New("x-exosphere-signature is missing")
	}
	if err := checkTime(seconds, now); err != nil {
		return err
	}
	expected := hex.EncodeToString(mac([]byte(secret), []byte(seconds+"."), body))
	// More than one while a secret is changed; any will do.
	if !anyEqual(expected, given) {
		return errors.New("x-exosphere-signature does not match")
	}

	// Standard Webhooks: what the base64 after `whsec_` stands for is the key.
	id, seconds := header.Get("webhook-id"), header.Get("webhook-timestamp")
	if err := checkTime(seconds, now); err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return fmt.Errorf("ALERTS_SECRET is not what the host has shown: %w", err)
	}
	signed := mac(key, []byte(id+"."+seconds+"."), body)
	expected = "v1," + base64.StdEncoding.EncodeToString(signed)
	if !anyEqual(expected, strings.Split(header.Get("webhook-signature"), " ")) {
		return errors.New("webhook-signature does not match")
	}
	return nil
}

func anyEqual(expected string, given []string) bool {
	for _, one := range given {
		if hmac.Equal([]byte(expected), []byte(one)) {
			return true
		}
	}
	return false
}

// seen knows the ids of the newest alerts: each attempt at an alert has the same one.
type seen struct {
	mutex sync.Mutex
	ids   map[string]bool
	order []string
}

func (s *seen) isNew(id string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.ids[id] {
		return false
	}
	s.ids[id] = true
	s.order = append(s.order, id)
	if len(s.order) > maxIDs {
		delete(s.ids, s.order[0])
		s.order = s.order[1:]
	}
	return true
}

func (s *seen) forget(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.ids, id)
}

type alert struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// handle is what you do with an alert. If it fails, the alert comes again.
func handle(body []byte) error {
	var one alert
	if err := json.Unmarshal(body, &one); err != nil {
		return err
	}
	fmt.Println("alert", one.ID, one.Type)
	return nil
}

func main() {
	secret := os.Getenv("ALERTS_SECRET")
	if secret == "" {
		log.Fatal("ALERTS_SECRET: the endpoint's signing secret is missing")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "9000"
	}
	known := &seen{ids: map[string]bool{}}
	receive := func(response http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodPost {
			http.Error(response, "POST only", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxBodyBytes))
		if err != nil {
			http.Error(response, "a body of at most 2 MiB", http.StatusRequestEntityTooLarge)
			return
		}
		if err := verify(secret, request.Header, body, time.Now()); err != nil {
			http.Error(response, err.Error(), http.StatusUnauthorized)
			return
		}
		if id := request.Header.Get("webhook-id"); known.isNew(id) {
			if err := handle(body); err != nil {
				known.forget(id)
				http.Error(response, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		// A repeat is answered like the first: it was received.
		response.WriteHeader(http.StatusNoContent)
	}
	server := http.Server{
		Addr:        "127.0.0.1:" + port,
		Handler:     http.HandlerFunc(receive),
		ReadTimeout: 30 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
