package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Handler answers Lambda's Invoke:
// POST /2015-03-31/functions/{name or ARN}/invocations.
func (f *Functions) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := invoked(r.URL)
		if !ok || r.Method != http.MethodPost {
			answerError(w, http.StatusNotFound, "ResourceNotFoundException", "the path is not that of Invoke")
			return
		}
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
		if err != nil {
			answerError(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("a request has at most %d bytes: %v", maxPayload, err))
			return
		}
		if _, ok := f.pools[name]; !ok {
			answerError(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+f.ARN(name))
			return
		}
		if len(payload) > 0 && !json.Valid(payload) {
			answerError(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json")
			return
		}
		f.answerInvoke(w, r, name, payload)
	})
}

func (f *Functions) answerInvoke(w http.ResponseWriter, r *http.Request, name string, payload []byte) {
	w.Header().Set("X-Amzn-Requestid", newID())
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	switch r.Header.Get("X-Amz-Invocation-Type") {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	case "Event":
		// The caller is not waited for, so its end is not the invocation's.
		go func() { _, _ = f.Invoke(context.WithoutCancel(r.Context()), name, payload) }()
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, err := f.Invoke(r.Context(), name, payload)
	if err != nil {
		answerError(w, http.StatusInternalServerError, "ServiceException", err.Error())
		return
	}
	if result.FunctionError != "" {
		w.Header().Set("X-Amz-Function-Error", result.FunctionError)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(result.Payload)
}

// invoked takes the function's name from the path, where it may be a name, a
// partial or a whole ARN, each with or without a qualifier.
func invoked(u *url.URL) (string, bool) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	if len(parts) != 4 || parts[1] != "functions" || parts[3] != "invocations" {
		return "", false
	}
	name, err := url.PathUnescape(parts[2])
	if err != nil {
		return "", false
	}
	if _, after, ok := strings.Cut(name, "function:"); ok {
		name = after
	}
	name, _, _ = strings.Cut(name, ":")
	return name, name != ""
}

func answerError(w http.ResponseWriter, status int, name, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", name)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": message})
}

// isMissing tells that no function has the name that was asked for.
func isMissing(err error) bool {
	_, ok := errors.AsType[*NotFoundError](err)
	return ok
}
