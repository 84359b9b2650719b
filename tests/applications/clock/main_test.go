package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheVersionIsTold(t *testing.T) {
	t.Setenv("APPLICATION_VERSION", "1.0-1")
	answer := httptest.NewRecorder()

	answers().ServeHTTP(answer, httptest.NewRequest("GET", "/version", nil))

	if !strings.Contains(answer.Body.String(), `"version":"1.0-1"`) {
		t.Fatal(answer.Body.String())
	}
}
