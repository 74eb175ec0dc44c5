// Probe is a function that does what its event says, for the tests of the runtime.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do      string
	Millis  int
	Headers map[string]string `json:"headers"`
}

func main() {
	if os.Getenv("BROKEN") != "" {
		os.Exit(3)
	}
	count := 0
	lambda.Start(func(ctx context.Context, raw json.RawMessage) (any, error) {
		count++
		fmt.Println("invocation", count)
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, err
		}
		if e.Headers != nil {
			return reply(raw)
		}
		switch e.Do {
		case "fail":
			return nil, errors.New("as it was told")
		case "panic":
			panic("as it was told")
		case "exit":
			os.Exit(7)
		case "large":
			return strings.Repeat("x", 6<<20), nil
		}
		time.Sleep(time.Duration(e.Millis) * time.Millisecond)
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"count": count, "pid": os.Getpid(), "name": os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
			"key": os.Getenv("AWS_ACCESS_KEY_ID"), "own": os.Getenv("OWN"), "secret": os.Getenv("NOT_MINE"),
			"arn": lc.InvokedFunctionArn, "id": lc.AwsRequestID, "remaining": time.Until(deadline).Seconds(),
		}, nil
	})
}

// reply answers an event of a function URL with the event itself.
func reply(raw json.RawMessage) (any, error) {
	var e struct{ RawPath string }
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	switch e.RawPath {
	case "/plain":
		return "just text", nil
	case "/binary":
		return map[string]any{"statusCode": 201, "body": "AAEC", "isBase64Encoded": true,
			"headers": map[string]string{"content-type": "image/png"}, "cookies": []string{"a=1", "b=2"}}, nil
	case "/fail":
		return nil, errors.New("as it was told")
	}
	return map[string]any{"statusCode": 200, "body": string(raw)}, nil
}
